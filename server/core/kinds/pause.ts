/**
 * The pause of a run: it takes in what comes (signals, results, fired timers, a cancel request), and its worker is asked nothing until it goes on. What
 * a worker has in hand may be finished; no attempt of an activity begins. Timeouts count on.
 */
import { enums } from '../api.js';
import { failedPrecondition } from '../errors.js';
import type { Turn } from '../turn.js';
import { queueAttempt } from './activity.js';
import { isPaused, isStarted, wake } from './workflow-task.js';
import { dropWorkflowTask, failWorkflowTask } from './workflow-task-end.js';

const T = enums.EventType;

export interface PauseRequest {
  identity: string;
  reason: string;
  requestId: string;
}

export function pauseRun(turn: Turn, request: PauseRequest): void {
  const { state } = turn;
  if (isPaused(state)) {
    if (request.requestId && state.pause?.requestId === request.requestId) return;
    throw failedPrecondition('workflow is already paused.');
  }
  withdrawTask(turn);
  turn.emit({ eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED, workerMayIgnore: true, workflowExecutionPausedEventAttributes: { ...request } });
  for (const activity of Object.values(state.activities)) {
    if (activity.startedMs) continue;
    activity.stamp += 1;
    activity.queued = false;
  }
}

/** A workflow task that no worker has yet is taken back: nothing else would ever end it. */
function withdrawTask(turn: Turn): void {
  const { state } = turn;
  if (!state.workflowTask || isStarted(state)) return;
  // one that is not written leaves no trace; updates that it was to carry wait for the next
  if (!state.workflowTask.written) dropWorkflowTask(turn);
  else failWorkflowTask(turn, { cause: enums.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED, identity: 'history-service' });
  state.workflowTaskAttempt = 1;
}

export function unpauseRun(turn: Turn, request: PauseRequest): void {
  const { state } = turn;
  if (!isPaused(state)) throw failedPrecondition('workflow is not paused.');
  turn.emit({ eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED, workerMayIgnore: true, workflowExecutionUnpausedEventAttributes: { ...request } });
  for (const activity of Object.values(state.activities)) {
    if (activity.startedMs || activity.paused) continue;
    activity.stamp += 1;
    queueAttempt(turn, activity, Math.max(activity.attemptScheduledMs, turn.nowMs));
  }
  wake(turn);
}
