/** Workflow tasks that fail or time out again and again: which events are written, how long the next attempt may take, and what is said of it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { api, enums } from '../../server/core/api.js';
import { signalRun } from '../../server/core/kinds/signal.js';
import { completeWorkflowTask, scheduleWorkflowTask, startWorkflowTask, unwrittenEvents, wake } from '../../server/core/kinds/workflow-task.js';
import { failWorkflowTask, fireWorkflowTask, workflowTaskDeadline } from '../../server/core/kinds/workflow-task-end.js';
import { DEFAULT_LIMITS } from '../../server/core/limits.js';
import { shownAttributes } from '../../server/core/system-attributes.js';
import { CoreRun } from '../helpers/core-run.js';

const CAUSE = enums.WorkflowTaskFailedCause;
const worker = { identity: 'worker', requestId: 'poll' };
let run: CoreRun;

const start = (laterMs = 0) => run.turn((turn) => startWorkflowTask(turn, worker), laterMs);
const fail = () =>
  run.turn((turn) => {
    failWorkflowTask(turn, { cause: CAUSE.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR, identity: 'worker' });
    scheduleWorkflowTask(turn);
  });
const complete = () => run.turn((turn) => void completeWorkflowTask(turn, { identity: 'worker' }));
const signal = () => run.turn((turn) => signalRun(turn, { name: 's', identity: 'client' }));
const timeOut = () => run.turn(fireWorkflowTask, workflowTaskDeadline(run.state) - run.nowMs);
const problems = () => {
  const payload = shownAttributes(run.state)['TemporalReportedProblems'];
  return payload && JSON.parse(Buffer.from(payload.data!).toString());
};
const failTimes = (times: number) => {
  for (let n = 0; n < times; n++) {
    start();
    fail();
  }
};

beforeEach(() => {
  run = new CoreRun();
  run.turn((turn) => scheduleWorkflowTask(turn));
});

describe('attempts', () => {
  it('after the first leave no events until one is completed', () => {
    start();
    expect(fail()).toEqual(['WORKFLOW_TASK_FAILED']);
    expect(start()).toEqual([]);
    expect(fail()).toEqual([]);
    start();
    const { scheduledEventId, startedEventId, attempt } = run.state.workflowTask!;
    expect([scheduledEventId, startedEventId, attempt]).toEqual([5, 6, 3]);
    expect(unwrittenEvents(run.state).map((e) => Number(e.eventId))).toEqual([5, 6]);
    expect(complete()).toEqual(['WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED', 'WORKFLOW_TASK_COMPLETED']);
    expect(run.events.at(-3)!.workflowTaskScheduledEventAttributes!.attempt).toBe(3);
  });

  it('are counted anew when something came while one ran', () => {
    failTimes(2);
    start();
    expect(signal()).toEqual(['WORKFLOW_EXECUTION_SIGNALED']);
    expect(fail()).toEqual(['WORKFLOW_EXECUTION_SIGNALED', 'WORKFLOW_TASK_SCHEDULED']);
    expect(run.state.workflowTask!.attempt).toBe(1);
  });

  it('that wait are overtaken by what comes then, and are no longer shown', () => {
    failTimes(2);
    expect(unwrittenEvents(run.state)).toHaveLength(1);
    signal();
    expect(unwrittenEvents(run.state)).toEqual([]);
    expect(start()).toEqual(['WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED']);
  });

  it('get more and more time from the fourth on, up to ten minutes more', () => {
    const given: number[] = [];
    for (let n = 0; n < 14; n++) {
      given.push(run.state.workflowTask!.startToCloseMs);
      start();
      timeOut();
    }
    expect(given.slice(0, 3)).toEqual([10_000, 10_000, 10_000]);
    const extra = given.slice(3).map((ms) => ms - 10_000);
    extra.forEach((ms, n) => {
      const whole = Math.min(5_000 * 2 ** n, 600_000);
      expect(ms).toBeLessThanOrEqual(whole);
      expect(ms).toBeGreaterThanOrEqual(whole * 0.8);
    });
  });
});

describe('stickiness', () => {
  it('goes with the first failure, which does not count as an attempt', () => {
    start();
    complete();
    run.state.sticky = { queue: 'sticky', scheduleToStartMs: 5000 };
    run.turn(wake);
    expect(run.state.workflowTask).toMatchObject({ queue: 'sticky', sticky: true });
    start();
    expect(timeOut()).toEqual(['WORKFLOW_TASK_TIMED_OUT', 'WORKFLOW_TASK_SCHEDULED']);
    expect(run.state.workflowTask).toMatchObject({ queue: 'queue', sticky: false, attempt: 1 });
  });

  it('gives way when its worker does not come in time', () => {
    start();
    complete();
    run.state.sticky = { queue: 'sticky', scheduleToStartMs: 5000 };
    run.turn(wake);
    expect(workflowTaskDeadline(run.state) - run.nowMs).toBe(5000);
    timeOut();
    expect(run.events.at(-2)!.workflowTaskTimedOutEventAttributes!.timeoutType).toBe(enums.TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START);
    expect(run.state.workflowTask!.queue).toBe('queue');
  });
});

describe('a problem', () => {
  it('is reported after five failures in a row, until a task gets through', () => {
    failTimes(4);
    expect(problems()).toBeUndefined();
    failTimes(1);
    expect(problems()).toEqual(['category=WorkflowTaskFailed', 'cause=WorkflowTaskFailedCauseNonDeterministicError']);
    start();
    complete();
    expect(problems()).toBeUndefined();
    expect(run.state.searchAttributes).toBeNull();
  });

  it('says when it is timeouts', () => {
    for (let n = 0; n < 5; n++) {
      start();
      timeOut();
    }
    expect(problems()).toEqual(['category=WorkflowTaskTimedOut', 'cause=WorkflowTaskTimedOutCauseStartToClose']);
  });
});

describe('continue-as-new', () => {
  const suggested = () => {
    start();
    const { suggestContinueAsNew, suggestContinueAsNewReasons } = run.last().workflowTaskStartedEventAttributes!;
    return [suggestContinueAsNew, suggestContinueAsNewReasons];
  };
  const R = enums.SuggestContinueAsNewReason;

  it('is not suggested to a small run', () => {
    expect(suggested()).toEqual([false, []]);
  });

  it('is suggested to a long run, and to a large one', () => {
    run = new CoreRun({ ...DEFAULT_LIMITS, historyEventsSuggest: 3, historySizeSuggest: 10 });
    run.turn((turn) => scheduleWorkflowTask(turn));
    expect(suggested()).toEqual([true, [R.SUGGEST_CONTINUE_AS_NEW_REASON_HISTORY_SIZE_TOO_LARGE, R.SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_HISTORY_EVENTS]]);
  });
});

it('what a worker says of its build goes into the event that says it has the task', () => {
  run.turn((turn) => startWorkflowTask(turn, { ...worker, workerVersion: { buildId: 'b1' } }));
  expect(api.common.v1.WorkerVersionStamp.fromObject(run.last().workflowTaskStartedEventAttributes!.workerVersion!).buildId).toBe('b1');
});
