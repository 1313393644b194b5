/** What a run gets attached while it runs: request ids and completion callbacks of later starts, and changed options. */
import { api, enums, fromTimestamp, type HistoryEvent, type temporal, toNumber } from '../api.js';
import type { RunState } from '../run-state.js';
import type { Turn } from '../turn.js';

const T = enums.EventType;

export interface Attachment {
  requestId: string;
  callbacks: temporal.api.common.v1.ICallback[];
  links?: temporal.api.common.v1.ILink[] | null;
}

/** A later start of the same workflow id joins this run: its request id, callbacks and links go into the history. */
export function attachToRun(turn: Turn, { requestId, callbacks, links }: Attachment): void {
  turn.emit({
    eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
    workerMayIgnore: true,
    workflowExecutionOptionsUpdatedEventAttributes: { attachedRequestId: requestId, attachedCompletionCallbacks: callbacks },
    links,
  });
}

export const optionsEvents = {
  [T.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED](state: RunState, event: HistoryEvent): void {
    const attributes = event.workflowExecutionOptionsUpdatedEventAttributes!;
    if (attributes.attachedRequestId) {
      state.requestIds[attributes.attachedRequestId] = { eventId: toNumber(event.eventId), eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED };
    }
    for (const callback of attributes.attachedCompletionCallbacks ?? []) {
      state.callbacks.push({ callback: api.common.v1.Callback.encode(callback).finish(), registeredMs: fromTimestamp(event.eventTime) });
    }
  },
};
