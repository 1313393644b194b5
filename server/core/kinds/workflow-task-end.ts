/** How a workflow task ends without an answer that counts: failed, timed out, or dropped; and when its time is up. */
import { enums, type Failure, int64 } from '../api.js';
import type { RunState } from '../run-state.js';
import { workersDeadline } from '../outage.js';
import type { Turn } from '../turn.js';
import { scheduleWorkflowTask, startFirstTask, taskEnded, writeUnwritten } from './workflow-task.js';

const T = enums.EventType;
const CAUSE = enums.WorkflowTaskFailedCause;

/** The started task vanishes without a trace: a speculative one of which nothing is kept. */
export function dropWorkflowTask(turn: Turn): void {
  turn.state.workflowTask = null;
  turn.state.workflowTaskAttempt = 1;
  turn.state.closeAttempted = false;
  turn.touched = true;
}

export interface TaskFailure {
  cause: number;
  failure?: Failure | null;
  identity: string;
  binaryChecksum?: string;
  baseRunId?: string;
  newRunId?: string;
  forkEventVersion?: number;
}

/** The started task failed. The event is written for the first attempt only. */
export function failWorkflowTask(turn: Turn, failed: TaskFailure): void {
  const { state } = turn;
  const task = state.workflowTask!;
  if (task.kind === 'speculative') writeUnwritten(turn, failed.identity);
  if (task.written) {
    turn.append({
      eventType: T.EVENT_TYPE_WORKFLOW_TASK_FAILED,
      workflowTaskFailedEventAttributes: {
        scheduledEventId: int64(task.scheduledEventId),
        startedEventId: int64(task.startedEventId),
        cause: failed.cause,
        failure: failed.failure,
        identity: failed.identity,
        binaryChecksum: failed.binaryChecksum,
        baseRunId: failed.baseRunId,
        newRunId: failed.newRunId,
        forkEventVersion: int64(failed.forkEventVersion ?? 0),
      },
    });
  } else {
    taskEnded(state, failed.cause !== CAUSE.WORKFLOW_TASK_FAILED_CAUSE_FAILOVER_CLOSE_COMMAND);
  }
  if (failed.cause === CAUSE.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW) state.workflowTaskAttempt = 1;
  state.closeAttempted = failed.cause === CAUSE.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND;
  turn.touched = true;
}

/** When the pending task must be looked at again: its schedule-to-start or start-to-close timeout. */
export function workflowTaskDeadline(state: RunState, reachableSinceMs = 0): number {
  const task = state.workflowTask;
  if (state.firstTaskAtMs && !task) return state.firstTaskAtMs;
  if (!task) return 0;
  if (task.startedEventId) return workersDeadline(task.startedMs + task.startToCloseMs, reachableSinceMs);
  if (task.scheduleToStartMs) return workersDeadline(task.scheduledMs + task.scheduleToStartMs, reachableSinceMs);
  return 0;
}

/** Times out the pending task if it is due, and schedules the next. */
export function fireWorkflowTask(turn: Turn): void {
  const { state } = turn;
  const dueMs = workflowTaskDeadline(state, turn.context.reachableSinceMs);
  if (dueMs === 0 || dueMs > turn.nowMs) return;
  const task = state.workflowTask;
  if (!task) {
    startFirstTask(turn);
    return;
  }
  timeOutWorkflowTask(turn);
  scheduleWorkflowTask(turn);
}

/** The pending task took too long: to be taken by a worker, or to be answered. */
export function timeOutWorkflowTask(turn: Turn): void {
  const { state } = turn;
  const task = state.workflowTask!;
  const started = task.startedEventId > 0;
  if (task.kind === 'speculative') writeUnwritten(turn, '');
  if (task.written) {
    turn.append({
      eventType: T.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
      workflowTaskTimedOutEventAttributes: {
        scheduledEventId: int64(task.scheduledEventId),
        startedEventId: int64(started ? task.startedEventId : 0),
        timeoutType: started ? enums.TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE : enums.TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START,
      },
    });
  } else {
    taskEnded(state, true);
  }
  turn.touched = true;
}
