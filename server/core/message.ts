/**
 * Messages between runs. Each is written in the commit of the run that sends it and deleted in the commit that takes it in, so its effect
 * happens once although it may be delivered more than once. Everything a message needs is in it: the sender may be gone by then.
 */

/** Where a message goes. An empty runId means the run of that workflow id that is open now. */
export interface Address {
  namespaceId: string;
  workflowId: string;
  runId: string;
}

/** A run that calls itself the parent of another: children that it has from before a reset know it by an older run id. */
export interface Parent extends Address {
  formerRunIds: readonly string[];
}

/** Where a message comes from, and where its answer goes. */
export interface Origin extends Parent {
  /** The event that asked for it. */
  initiatedEventId: number;
}

export type Message =
  /** To the closed run itself: call its callback of that index, which is at that origin. */
  | { kind: 'callback'; to: Address; index: number; destination: string }
  /** To the parent itself: begin the child that an event of its history asks for. */
  | { kind: 'start-child'; to: Address; initiatedEventId: number }
  /** The last run of a child's chain has ended. */
  | {
      kind: 'child-closed';
      to: Address;
      initiatedEventId: number;
      workflowId: string;
      runId: string;
      firstRunId: string;
      /** Encoded HistoryEvent: the close event. */
      closeEvent: Uint8Array;
    }
  /** What a parent's close does to a child: TERMINATE or REQUEST_CANCEL of the chain that began with that run. */
  | { kind: 'parent-closed'; to: Address; parent: Parent; firstRunId: string; policy: number }
  | {
      kind: 'signal';
      to: Address;
      from: Origin;
      childOnly: boolean;
      requestId: string;
      /** Encoded SignalExternalWorkflowExecutionInitiatedEventAttributes. */
      attributes: Uint8Array;
    }
  | { kind: 'cancel'; to: Address; from: Origin; childOnly: boolean; requestId: string; reason: string }
  /** How a signal or cancel went; a cause of 0 means that the target has it. */
  | { kind: 'signal-answered'; to: Address; initiatedEventId: number; failedCause: number }
  | { kind: 'cancel-answered'; to: Address; initiatedEventId: number; failedCause: number };

/** A message with the id of its row in the outbox. */
export interface OutboxMessage {
  id: string;
  message: Message;
}

/** About how many bytes a message has: what it carries, and a little for the rest. */
export function messageBytes(message: Message): number {
  const carried = message.kind === 'child-closed' ? message.closeEvent.length : message.kind === 'signal' ? message.attributes.length : 0;
  return carried + 200;
}
