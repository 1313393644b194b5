/** What the events of a pause mean for the run's state. */
import { enums, fromTimestamp, type HistoryEvent } from '../api.js';
import type { RunState } from '../run-state.js';
import { notePauses } from '../system-attributes.js';

const T = enums.EventType;
const STATUS = enums.WorkflowExecutionStatus;

/** The run is not paused (any more); what is done about it besides is the caller's affair. */
export function endPause(state: RunState): void {
  if (!state.pause) return;
  state.status = STATUS.WORKFLOW_EXECUTION_STATUS_RUNNING;
  state.pause = null;
  notePauses(state);
}

export const pauseEvents = {
  [T.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED](state: RunState, event: HistoryEvent): void {
    const { identity, reason, requestId } = event.workflowExecutionPausedEventAttributes!;
    state.status = STATUS.WORKFLOW_EXECUTION_STATUS_PAUSED;
    state.pause = { ms: fromTimestamp(event.eventTime), identity: identity ?? '', reason: reason ?? '', requestId: requestId ?? '' };
    notePauses(state);
  },
  [T.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED]: (state: RunState, _event: HistoryEvent) => endPause(state),
};
