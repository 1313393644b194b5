/** A signal that arrived. */
import type { HistoryEvent } from '../../definitions/api.js';
import type { MachineOwner } from '../machine.js';

export function signaled(owner: MachineOwner, event: HistoryEvent): void {
  const attributes = event.workflowExecutionSignaledEventAttributes!;
  owner.pushJob({
    signalWorkflow: {
      signalName: attributes.signalName,
      input: attributes.input?.payloads ?? [],
      identity: attributes.identity,
      headers: attributes.header?.fields ?? {},
      originatingEventId: event.eventId,
    },
  });
}
