/** The one deadline of a run: the earliest moment at which anything of it is due, and doing what is due. */
import { enums, type HistoryEvent } from './api.js';
import { timeoutFailure } from './failure.js';
import { activityDeadline, fireActivities } from './kinds/activity-timeouts.js';
import { announceClose, announceContinuation } from './kinds/close.js';
import { afterFailure, beginSuccessor } from './kinds/retry-and-cron.js';
import { isRunning, runDeadline, timeOutRun } from './kinds/run.js';
import { isPaused } from './kinds/workflow-task.js';
import { fireTimers } from './kinds/timer.js';
import { fireWorkflowTask, workflowTaskDeadline } from './kinds/workflow-task-end.js';
import { workersDeadline } from './outage.js';
import type { RunState } from './run-state.js';
import type { Turn } from './turn.js';

/** Milliseconds since the epoch; 0 when nothing is ever due. `reachableSinceMs`: when the last outage ended. */
export function nextDeadline(state: RunState, reachableSinceMs = 0): number {
  if (!isRunning(state)) return 0;
  let earliest = Number.POSITIVE_INFINITY;
  const consider = (ms: number): void => {
    if (ms > 0 && ms < earliest) earliest = ms;
  };
  consider(workersDeadline(runDeadline(state), reachableSinceMs));
  consider(workflowTaskDeadline(state, reachableSinceMs));
  for (const id in state.activities) consider(activityDeadline(state.activities[id]!, reachableSinceMs, isPaused(state)));
  for (const id in state.timers) consider(state.timers[id]!.fireMs);
  return earliest === Number.POSITIVE_INFINITY ? 0 : earliest;
}

/** Whether the run itself is due in such a way that another may follow: then its first event is needed. */
export function needsStarted(state: RunState, nowMs: number, reachableSinceMs = 0): boolean {
  return isRunning(state) && isRunDue(state, nowMs, reachableSinceMs) && !isChainDue(state, nowMs) && (state.info.retry !== null || state.info.cron !== '');
}

/** Does everything that is due at the turn's time. `started` is the run's first event when `needsStarted` says so. */
export function fireDue(turn: Turn, started?: HistoryEvent): void {
  const { state } = turn;
  if (!isRunning(state)) return;
  if (isRunDue(state, turn.nowMs, turn.context.reachableSinceMs)) {
    endOverdueRun(turn, started);
    return;
  }
  fireTimers(turn);
  fireActivities(turn);
  fireWorkflowTask(turn);
}

function isRunDue(state: RunState, nowMs: number, reachableSinceMs = 0): boolean {
  const dueMs = workersDeadline(runDeadline(state), reachableSinceMs);
  return dueMs > 0 && dueMs <= nowMs;
}

/** The execution timeout, which spans the chain: nothing follows it. */
const isChainDue = ({ info }: RunState, nowMs: number): boolean => info.executionExpirationMs > 0 && info.executionExpirationMs <= nowMs;

/** Times the run out; its retry policy or schedule may begin another, as after a failure. */
function endOverdueRun(turn: Turn, started: HistoryEvent | undefined): void {
  if (isChainDue(turn.state, turn.nowMs)) {
    announceClose(turn, timeOutRun(turn, enums.RetryState.RETRY_STATE_TIMEOUT));
    return;
  }
  const failure = timeoutFailure('workflow timeout', enums.TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE);
  const { retryState, successor } = afterFailure(turn, failure);
  const event = timeOutRun(turn, retryState, successor?.runId);
  if (!successor) {
    announceClose(turn, event);
    return;
  }
  beginSuccessor(turn, started, successor, { failure });
  announceContinuation(turn);
}
