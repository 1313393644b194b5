/** The cancel request: the run is asked to stop, and decides itself what to do about it. */
import { enums, type HistoryEvent, int64, type temporal } from '../api.js';
import type { RunState } from '../run-state.js';
import type { Turn } from '../turn.js';
import { scheduleWorkflowTask } from './workflow-task.js';

const T = enums.EventType;

export interface CancelRequest {
  reason: string;
  identity: string;
  requestId: string;
  links?: temporal.api.common.v1.ILink[] | null;
  external?: { initiatedEventId?: number; execution: temporal.api.common.v1.IWorkflowExecution };
}

/** Asks once; a first workflow task that still waits is scheduled at once. */
export function requestCancelRun(turn: Turn, request: CancelRequest): void {
  const { state } = turn;
  if (state.cancelRequested) return;
  turn.emit({
    eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
    workflowExecutionCancelRequestedEventAttributes: {
      cause: request.reason,
      identity: request.identity,
      externalInitiatedEventId: request.external?.initiatedEventId ? int64(request.external.initiatedEventId) : undefined,
      externalWorkflowExecution: request.external?.execution,
    },
    links: request.links,
  });
  state.cancelRequestId = request.requestId;
  state.firstTaskAtMs = 0;
  scheduleWorkflowTask(turn);
}

export const cancelEvents = {
  [T.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED](state: RunState, _event: HistoryEvent): void {
    state.cancelRequested = true;
  },
};
