/** What operators do to an activity that is scheduled, started, or waiting for its next attempt. */
import { beforeEach, describe, expect, it, test } from 'vitest';
import { fromDuration, toDuration } from '../../server/core/api.js';
import { type ActivityOptions, camelPath, mergeOptions, optionsOf } from '../../server/core/activity-options.js';
import { requestCancelActivity, scheduleActivity } from '../../server/core/kinds/activity.js';
import { failActivity, heartbeatActivity, startActivity } from '../../server/core/kinds/activity-attempt.js';
import { changeOptions, pauseActivity, resetActivity, unpauseActivity } from '../../server/core/kinds/activity-control.js';
import { activityDeadline, fireActivities } from '../../server/core/kinds/activity-timeouts.js';
import type { Activity } from '../../server/core/run-state.js';
import type { Turn } from '../../server/core/turn.js';
import { CoreRun } from '../helpers/core-run.js';
import { json } from '../helpers/engine-node.js';

const seconds = (n: number) => toDuration(n * 1000);
const pauseBy = (requestId: string) => ({ identity: 'operator', reason: 'look', requestId });
const plainResume = { resetAttempts: false, resetHeartbeat: false, delayMs: 0 };
const plainReset = { resetHeartbeat: false, keepPaused: false, options: undefined, delayMs: 0 };

let run: CoreRun;
let activity: Activity;
const act = (work: (turn: Turn, activity: Activity) => void, laterMs = 0) => run.turn((turn) => work(turn, activity), laterMs);
const start = () => act((turn, a) => startActivity(turn, a, { identity: 'worker', requestId: 'poll' }));
const fail = () => act((turn, a) => failActivity(turn, a, { failure: { message: 'boom' } }));
const offered = () => run.effects.some((e) => e.type === 'activity-ready');

beforeEach(() => {
  run = new CoreRun();
  run.turn((turn) => {
    const retryPolicy = { initialInterval: seconds(10), nonRetryableErrorTypes: ['Final'] };
    activity = scheduleActivity(turn, { activityId: 'a', activityType: { name: 'Act' }, startToCloseTimeout: seconds(60), retryPolicy }, 4);
  });
});

describe('pausing', () => {
  it('a second time is an error, but for the same request', () => {
    act((turn, a) => pauseActivity(turn, a, pauseBy('1')));
    act((turn, a) => pauseActivity(turn, a, pauseBy('1')));
    expect(() => act((turn, a) => pauseActivity(turn, a, pauseBy('2')))).toThrow('activity is already paused');
  });

  it('voids what a queue holds, not what a worker holds', () => {
    act((turn, a) => pauseActivity(turn, a, pauseBy('1')));
    expect(activity.stamp).toBe(1);
    act((turn, a) => unpauseActivity(turn, a, plainResume));
    start();
    const { stamp } = activity;
    act((turn, a) => pauseActivity(turn, a, pauseBy('2')));
    expect(activity.stamp).toBe(stamp);
    let told: object = {};
    act((turn, a) => {
      told = heartbeatActivity(turn, a, null);
    });
    expect(told).toEqual({ cancelRequested: false, paused: true, reset: false });
  });

  it('while an attempt runs holds back the next one', () => {
    start();
    act((turn, a) => pauseActivity(turn, a, pauseBy('1')));
    fail();
    expect([activity.attempt, activity.queued, activityDeadline(activity)]).toEqual([2, false, 0]);
    act((turn, a) => unpauseActivity(turn, a, { ...plainResume, delayMs: 500 }));
    expect([offered(), activityDeadline(activity)]).toEqual([false, run.nowMs + 500]);
    run.turn(fireActivities, 500);
    expect(offered()).toBe(true);
  });
});

describe('resuming', () => {
  it('does nothing to what is not paused', () => {
    act((turn, a) => unpauseActivity(turn, a, { ...plainResume, resetAttempts: true }));
    expect([activity.stamp, offered()]).toEqual([0, false]);
  });

  it('can start attempts over and forget the heartbeat', () => {
    start();
    act((turn, a) => heartbeatActivity(turn, a, json('half')));
    fail();
    act((turn, a) => pauseActivity(turn, a, pauseBy('1')));
    act((turn, a) => unpauseActivity(turn, a, { resetAttempts: true, resetHeartbeat: true, delayMs: 0 }));
    expect(activity).toMatchObject({ attempt: 1, heartbeatDetails: null, lastFailure: null, queued: true, paused: null });
  });
});

describe('a reset', () => {
  it('of one that waits for its next attempt begins at once', () => {
    start();
    fail();
    act((turn, a) => resetActivity(turn, a, plainReset));
    expect([activity.attempt, activity.queued, offered(), activity.lastFailure]).toEqual([1, true, true, null]);
  });

  it('of a first attempt is told to its worker, and counts once it ends', () => {
    start();
    act((turn, a) => heartbeatActivity(turn, a, json('half')));
    act((turn, a) => resetActivity(turn, a, { ...plainReset, resetHeartbeat: true }));
    let told: object = {};
    act((turn, a) => {
      told = heartbeatActivity(turn, a, json('more'));
    });
    expect(told).toMatchObject({ reset: true });
    fail();
    expect(activity).toMatchObject({ attempt: 2, heartbeatDetails: null, resetRequested: false });
  });

  it('resumes a paused one unless it is to stay paused', () => {
    act((turn, a) => pauseActivity(turn, a, pauseBy('1')));
    act((turn, a) => resetActivity(turn, a, { ...plainReset, keepPaused: true }));
    expect([activity.paused !== null, offered()]).toEqual([true, false]);
    act((turn, a) => resetActivity(turn, a, { ...plainReset, delayMs: 100 }));
    expect([activity.paused, activity.attemptScheduledMs - run.nowMs]).toEqual([null, 100]);
  });

  it('leaves one that is asked to stop to its worker', () => {
    start();
    act((turn, a) => requestCancelActivity(turn, a, { completedEventId: 4, identity: '' }));
    act((turn, a) => resetActivity(turn, a, plainReset));
    expect([activity.startedMs > 0, offered()]).toEqual([true, false]);
  });
});

describe('options', () => {
  const change = (changes: ActivityOptions, paths: string[]): ActivityOptions => {
    let options: ActivityOptions = {};
    act((turn, a) => {
      options = changeOptions(turn, a, changes, paths);
    });
    return options;
  };

  it('change what the mask names, and the rest stays', () => {
    const options = change({ startToCloseTimeout: seconds(5), taskQueue: { name: 'other' }, heartbeatTimeout: seconds(1) }, ['start_to_close_timeout', 'task_queue.name']);
    expect([fromDuration(options.startToCloseTimeout), options.taskQueue!.name, fromDuration(options.heartbeatTimeout)]).toEqual([5000, 'other', 0]);
    expect([activity.queue, activity.retry!.nonRetryableTypes, offered()]).toEqual(['other', ['Final'], true]);
  });

  it('time a next attempt that waits', () => {
    start();
    fail();
    expect(activity.attemptScheduledMs - run.nowMs).toBe(10_000);
    change({ retryPolicy: { initialInterval: seconds(3) } }, ['retry_policy.initial_interval']);
    expect(activity.attemptScheduledMs - run.nowMs).toBe(3_000);
  });

  it('that could not be scheduled are refused, and nothing changes', () => {
    const before = structuredClone(activity);
    expect(() => change({ startToCloseTimeout: seconds(-5) }, ['start_to_close_timeout'])).toThrow(/StartToClose/);
    expect(activity).toEqual(before);
  });

  test.each([
    ['retry_policy.maximum_attempts', 'retryPolicy.maximumAttempts'],
    ['retryPolicy.maximumAttempts', 'retryPolicy.maximumAttempts'],
    ['TaskQueue.Name', 'taskQueue.name'],
    ['heartbeat_timeout', 'heartbeatTimeout'],
  ])('%s is %s', (path, same) => {
    expect(camelPath(path)).toBe(same);
  });

  it('of a part that the request does not have are an error', () => {
    const options = optionsOf(activity);
    expect(() => mergeOptions(options, {}, ['retry_policy'])).toThrow('RetryPolicy is not provided');
    expect(() => mergeOptions(options, {}, ['priority.priority_key'])).toThrow('Priority is not provided');
    expect(() => mergeOptions(options, {}, ['task_queue.name'])).toThrow('TaskQueue is not provided');
  });

  it('take a whole message before its fields', () => {
    const changes = { retryPolicy: { maximumAttempts: 7, initialInterval: seconds(4) } };
    const merged = mergeOptions(optionsOf(activity), changes, ['retry_policy.maximum_attempts', 'retry_policy']);
    expect(merged.retryPolicy).toMatchObject(changes.retryPolicy);
    expect(mergeOptions(optionsOf(activity), { priority: { priorityKey: 2 } }, ['priority.priority_key']).priority).toEqual({ priorityKey: 2 });
  });
});
