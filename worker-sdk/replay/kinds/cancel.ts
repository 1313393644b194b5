/** A request to cancel this run. */
import type { HistoryEvent } from '../../definitions/api.js';
import type { MachineOwner } from '../machine.js';

export function cancelRequested(owner: MachineOwner, event: HistoryEvent): void {
  owner.pushJob({ cancelWorkflow: { reason: event.workflowExecutionCancelRequestedEventAttributes?.cause } });
}
