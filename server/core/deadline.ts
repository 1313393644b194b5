/** The one deadline of a run: the earliest moment at which anything of it is due, and doing what is due. */
import { enums } from './api.js';
import { activityDeadline, fireActivities } from './kinds/activity-timeouts.js';
import { announceClose } from './kinds/close.js';
import { isRunning, runDeadline, timeOutRun } from './kinds/run.js';
import { fireTimers } from './kinds/timer.js';
import { fireWorkflowTask, workflowTaskDeadline } from './kinds/workflow-task.js';
import type { RunState } from './run-state.js';
import type { Turn } from './turn.js';

/** Milliseconds since the epoch; 0 when nothing is ever due. */
export function nextDeadline(state: RunState): number {
  if (!isRunning(state)) return 0;
  let earliest = Number.POSITIVE_INFINITY;
  const consider = (ms: number): void => {
    if (ms > 0 && ms < earliest) earliest = ms;
  };
  consider(runDeadline(state));
  consider(workflowTaskDeadline(state));
  for (const id in state.activities) consider(activityDeadline(state.activities[id]!));
  for (const id in state.timers) consider(state.timers[id]!.fireMs);
  return earliest === Number.POSITIVE_INFINITY ? 0 : earliest;
}

/** Does everything that is due at the turn's time. */
export function fireDue(turn: Turn): void {
  const { state } = turn;
  if (!isRunning(state)) return;
  const runDueMs = runDeadline(state);
  if (runDueMs > 0 && runDueMs <= turn.nowMs) {
    announceClose(turn, timeOutRun(turn, enums.RetryState.RETRY_STATE_TIMEOUT));
    return;
  }
  fireTimers(turn);
  fireActivities(turn);
  fireWorkflowTask(turn);
}
