/** What a run gets attached while it runs: request ids and completion callbacks of later starts, and changed options. */
import { api, enums, fromTimestamp, type HistoryEvent, type temporal, toNumber } from '../api.js';
import type { RunState } from '../run-state.js';
import type { Turn } from '../turn.js';
import { attachCallbacks, requireRoomForCallbacks } from './callback.js';

const T = enums.EventType;

export interface Attachment {
  requestId: string;
  callbacks: temporal.api.common.v1.ICallback[];
  links?: temporal.api.common.v1.ILink[] | null;
}

/** A later start of the same workflow id joins this run: its request id, callbacks and links go into the history. */
export function attachToRun(turn: Turn, { requestId, callbacks, links }: Attachment): void {
  requireRoomForCallbacks(turn, callbacks.length);
  turn.emit({
    eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
    workerMayIgnore: true,
    workflowExecutionOptionsUpdatedEventAttributes: { attachedRequestId: requestId, attachedCompletionCallbacks: callbacks },
    links,
  });
}

type Options = temporal.api.workflow.v1.IWorkflowExecutionOptions;
const { Priority } = api.common.v1;
const { VersioningOverride } = api.workflow.v1;

/** The options of a run that may be changed while it runs. */
export const optionsOf = ({ info, versioningOverride }: RunState): Options => ({
  priority: info.priority ? Priority.decode(info.priority) : undefined,
  versioningOverride: versioningOverride ? VersioningOverride.decode(versioningOverride) : undefined,
});

/** Gives the run these options, all of them. */
export function updateOptions(turn: Turn, { versioningOverride, priority }: Options, identity: string): void {
  turn.emit({
    eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
    workerMayIgnore: true,
    workflowExecutionOptionsUpdatedEventAttributes: {
      versioningOverride,
      unsetVersioningOverride: !versioningOverride,
      identity,
      priority,
    },
  });
  turn.infoChanged = true;
}

export const optionsEvents = {
  [T.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED](state: RunState, event: HistoryEvent): void {
    const attributes = event.workflowExecutionOptionsUpdatedEventAttributes!;
    if (attributes.attachedRequestId) {
      state.requestIds[attributes.attachedRequestId] = {
        eventId: toNumber(event.eventId),
        eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
      };
    }
    if (attributes.versioningOverride) state.versioningOverride = VersioningOverride.encode(attributes.versioningOverride).finish();
    if (attributes.unsetVersioningOverride) state.versioningOverride = null;
    // an event that attaches something says nothing of priorities
    if (!attributes.attachedRequestId) state.info.priority = attributes.priority ? Priority.encode(attributes.priority).finish() : null;
    attachCallbacks(state, attributes.attachedCompletionCallbacks, fromTimestamp(event.eventTime), attributes.attachedRequestId ?? '');
  },
};
