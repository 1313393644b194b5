/** Attempts of an activity: which retry state each way to end leads to, and what its timeouts do. */
import { beforeEach, describe, expect, it, test } from 'vitest';
import { api, enums, type Failure, type HistoryEvent, int64, toDuration } from '../../server/core/api.js';
import { timeoutFailure } from '../../server/core/failure.js';
import { completeTimeouts, requestCancelActivity, scheduleActivity } from '../../server/core/kinds/activity.js';
import { failActivity, heartbeatActivity, startActivity } from '../../server/core/kinds/activity-attempt.js';
import { activityDeadline, fireActivities } from '../../server/core/kinds/activity-timeouts.js';
import { pauseActivity, unpauseActivity } from '../../server/core/kinds/activity-control.js';
import type { Activity } from '../../server/core/run-state.js';
import { CoreRun } from '../helpers/core-run.js';
import { json } from '../helpers/engine-node.js';

const RETRY = enums.RetryState;
const TIMEOUT = enums.TimeoutType;
const worker = { identity: 'worker', requestId: 'poll' };
const boom: Failure = { message: 'boom', applicationFailureInfo: { type: 'Boom' } };
const seconds = (n: number) => toDuration(n * 1000);

let run: CoreRun;
let activity: Activity;

function schedule(more: object = {}): Activity {
  run.turn((turn) => {
    const attributes = { activityId: 'a', activityType: { name: 'Act' }, taskQueue: { name: 'q' }, startToCloseTimeout: seconds(60), ...more };
    activity = scheduleActivity(turn, attributes, 4);
  });
  return activity;
}
const start = (laterMs = 0) => run.turn((turn) => startActivity(turn, activity, worker), laterMs);
const fail = (failure: Failure = boom, laterMs = 0) => run.turn((turn) => failActivity(turn, activity, { failure, identity: 'worker' }), laterMs);
const fire = (laterMs = 0) => run.turn(fireActivities, laterMs);
const dueInMs = () => activityDeadline(activity) - run.nowMs;
/** The closing event, which comes before the workflow task that is to see it. */
const closing = (): HistoryEvent => run.events.at(-2)!;
const timedOut = () => closing().activityTaskTimedOutEventAttributes!;

beforeEach(() => {
  run = new CoreRun();
});

describe('a failed attempt', () => {
  test.each<[string, object, Failure, number]>([
    ['is retried by default', {}, boom, RETRY.RETRY_STATE_IN_PROGRESS],
    ['is the last when attempts are used up', { retryPolicy: { maximumAttempts: 1 } }, boom, RETRY.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED],
    ['of a type that is not to be retried', { retryPolicy: { nonRetryableErrorTypes: ['Boom'] } }, boom, RETRY.RETRY_STATE_NON_RETRYABLE_FAILURE],
    ['that says so itself', {}, { applicationFailureInfo: { nonRetryable: true } }, RETRY.RETRY_STATE_NON_RETRYABLE_FAILURE],
    ['because of a cancel that nobody asked for', {}, { canceledFailureInfo: {} }, RETRY.RETRY_STATE_NON_RETRYABLE_FAILURE],
    ['with no time for another', { scheduleToCloseTimeout: seconds(0.5) }, boom, RETRY.RETRY_STATE_TIMEOUT],
    ['whose worker asks for a delay beyond the end', { scheduleToCloseTimeout: seconds(60) }, { applicationFailureInfo: { nextRetryDelay: seconds(61) } }, RETRY.RETRY_STATE_TIMEOUT],
  ])('%s', (_what, options, failure, expected) => {
    schedule(options);
    start();
    const names = fail(failure);
    if (expected === RETRY.RETRY_STATE_IN_PROGRESS) {
      expect(names).toEqual([]);
      expect(activity.attempt).toBe(2);
      return;
    }
    expect(names).toEqual(['ACTIVITY_TASK_STARTED', 'ACTIVITY_TASK_FAILED', 'WORKFLOW_TASK_SCHEDULED']);
    expect(closing().activityTaskFailedEventAttributes!.retryState).toBe(expected);
  });

  it('after a cancel request is the last', () => {
    schedule();
    start();
    run.turn((turn) => requestCancelActivity(turn, activity, { completedEventId: 4, identity: 'x' }));
    fail();
    expect(closing().activityTaskFailedEventAttributes!.retryState).toBe(RETRY.RETRY_STATE_CANCEL_REQUESTED);
  });

  it('waits out its backoff, then is offered', () => {
    schedule({ retryPolicy: { initialInterval: seconds(2), backoffCoefficient: 3 } });
    start();
    fail();
    expect([activity.queued, dueInMs()]).toEqual([false, 2000]);
    fire(1999);
    expect(run.effects).toEqual([]);
    fire(1);
    expect(run.effects).toEqual([{ type: 'activity-ready', scheduledEventId: activity.scheduledEventId }]);
    start();
    fail();
    expect(dueInMs()).toBe(6000);
    expect(activity.lastIdentity).toBe('worker');
  });

  it('is remembered as far as it fits', () => {
    schedule();
    start();
    fail({ message: 'm'.repeat(10_000), source: 'sdk', stackTrace: 's'.repeat(10_000), applicationFailureInfo: { type: 'Boom', details: json('x'.repeat(9_000)) } });
    const kept = api.failure.v1.Failure.decode(activity.lastFailure!);
    expect(activity.lastFailure!.length).toBeLessThan(5000);
    expect(kept).toMatchObject({ serverFailureInfo: {}, cause: { source: 'sdk', applicationFailureInfo: { type: 'Boom' } } });
    start(2000);
    fail({ ...boom, applicationFailureInfo: { nonRetryable: true } });
    const started = run.events.at(-3)!.activityTaskStartedEventAttributes!;
    expect([started.attempt, started.lastFailure!.cause!.applicationFailureInfo!.type]).toEqual([2, 'Boom']);
  });
});

describe('timeouts', () => {
  test.each<[string, object, object]>([
    ['all from schedule-to-close', { scheduleToCloseTimeout: seconds(9) }, { scheduleToCloseMs: 9000, scheduleToStartMs: 9000, startToCloseMs: 9000, heartbeatMs: 0 }],
    ['from the run, when only start-to-close is given', { startToCloseTimeout: seconds(5) }, { scheduleToCloseMs: 100_000, scheduleToStartMs: 100_000, startToCloseMs: 5000 }],
    ['no longer than the run', { startToCloseTimeout: seconds(500), heartbeatTimeout: seconds(500) }, { startToCloseMs: 100_000, heartbeatMs: 100_000 }],
    ['no part longer than the whole', { scheduleToCloseTimeout: seconds(5), scheduleToStartTimeout: seconds(8), startToCloseTimeout: seconds(8) }, { scheduleToStartMs: 5000, startToCloseMs: 5000 }],
    ['heartbeats within the attempt', { startToCloseTimeout: seconds(5), heartbeatTimeout: seconds(9) }, { heartbeatMs: 5000 }],
  ])('are filled in: %s', (_what, given, expected) => {
    expect(completeTimeouts(given, 100_000)).toMatchObject(expected);
  });

  it('schedule-to-start ends an activity that no worker took, whatever its policy', () => {
    schedule({ scheduleToStartTimeout: seconds(3) });
    expect(fire(3000)).toEqual(['ACTIVITY_TASK_TIMED_OUT', 'WORKFLOW_TASK_SCHEDULED']);
    expect(timedOut()).toMatchObject({ retryState: RETRY.RETRY_STATE_TIMEOUT, failure: { timeoutFailureInfo: { timeoutType: TIMEOUT.TIMEOUT_TYPE_SCHEDULE_TO_START } } });
  });

  it('start-to-close retries, with the timeout as the last failure', () => {
    schedule({ retryPolicy: { maximumAttempts: 2 } });
    start();
    expect(fire(60_000)).toEqual([]);
    expect(api.failure.v1.Failure.decode(activity.lastFailure!)).toMatchObject({ message: 'activity StartToClose timeout', source: 'Server' });
    start(1000);
    fire(60_000);
    expect(timedOut()).toMatchObject({ retryState: RETRY.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED, failure: { cause: { message: 'activity StartToClose timeout' } } });
  });

  it('heartbeat counts from the last heartbeat, and gives its details when it ends the activity', () => {
    schedule({ heartbeatTimeout: seconds(5), retryPolicy: { maximumAttempts: 1 } });
    start();
    run.turn((turn) => heartbeatActivity(turn, activity, json('half')), 4000);
    expect(dueInMs()).toBe(5000);
    fire(5000);
    const info = timedOut().failure!.timeoutFailureInfo!;
    expect(info.timeoutType).toBe(TIMEOUT.TIMEOUT_TYPE_HEARTBEAT);
    expect(info.lastHeartbeatDetails!.payloads![0]!.data!.toString()).toBe('"half"');
  });

  it('a retry that the end leaves no room for is told as schedule-to-close', () => {
    schedule({ scheduleToCloseTimeout: seconds(10), startToCloseTimeout: seconds(8), retryPolicy: { initialInterval: seconds(5) } });
    start();
    fire(8000);
    expect(timedOut()).toMatchObject({ retryState: RETRY.RETRY_STATE_TIMEOUT, failure: { timeoutFailureInfo: { timeoutType: TIMEOUT.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE } } });
    expect(timedOut().failure!.message).toMatch(/^Not enough time to schedule next retry/);
  });

  it('schedule-to-close reaches an activity between two attempts', () => {
    schedule({ scheduleToCloseTimeout: seconds(10), retryPolicy: { initialInterval: seconds(8) } });
    start();
    fail();
    fire(8000);
    fire(2000);
    expect(timedOut()).toMatchObject({ startedEventId: int64(0), failure: { cause: { message: 'boom' } } });
  });

  it('of two that are due only the first takes effect', () => {
    schedule({ heartbeatTimeout: seconds(5), retryPolicy: { initialInterval: seconds(100), maximumInterval: seconds(100) } });
    start();
    fire(70_000);
    expect(activity.attempt).toBe(2);
    expect(api.failure.v1.Failure.decode(activity.lastFailure!).message).toBe('activity Heartbeat timeout');
  });

  it('of a paused activity stand still', () => {
    schedule({ scheduleToStartTimeout: seconds(3) });
    run.turn((turn) => pauseActivity(turn, activity, { identity: 'op', reason: '', requestId: '1' }));
    expect(activityDeadline(activity)).toBe(0);
    expect(fire(10_000)).toEqual([]);
    run.turn((turn) => unpauseActivity(turn, activity, { resetAttempts: false, resetHeartbeat: false, delayMs: 0 }));
    expect(dueInMs()).toBe(3000);
  });

  it('that failures come from name themselves among the types that are not retried', () => {
    schedule({ retryPolicy: { nonRetryableErrorTypes: ['TemporalTimeout:StartToClose'] } });
    start();
    fail(timeoutFailure('x', TIMEOUT.TIMEOUT_TYPE_START_TO_CLOSE));
    expect(closing().activityTaskFailedEventAttributes!.retryState).toBe(RETRY.RETRY_STATE_NON_RETRYABLE_FAILURE);
  });
});
