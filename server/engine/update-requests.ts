/** The update requests that a workflow task carries to its worker. */
import { int64, type temporal } from '../core/api.js';
import { requestMessageId } from '../core/kinds/update.js';
import type { RunState } from '../core/run-state.js';

type Message = temporal.api.protocol.v1.IMessage;

const TYPE_URL = 'type.googleapis.com/temporal.api.update.v1.Request';

export function updateRequests(state: RunState): Message[] {
  const task = state.workflowTask;
  if (!task?.startedEventId) return [];
  return state.updatesAdmitted
    .filter((u) => u.sentWith === task.startedEventId && u.request)
    .map((u) => ({
      id: requestMessageId(u.updateId),
      protocolInstanceId: u.updateId,
      eventId: int64(task.startedEventId - 1),
      body: { type_url: TYPE_URL, value: u.request! },
    }));
}
