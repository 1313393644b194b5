/** What the shell must do for a transition: in the same commit (rows) or right after it (wake-ups). The closed list. */

export type Effect =
  /** The pending workflow task waits for a poller of its queue. */
  | { type: 'workflow-task-ready' }
  /** The present attempt of an activity waits for a poller of its queue. */
  | { type: 'activity-ready'; scheduledEventId: number }
  /** A message to another run, written in the same commit and delivered at least once. */
  | { type: 'message'; message: Message }
  /** A new run that begins in the same commit (continue-as-new, retry, cron). */
  | { type: 'new-run'; turn: object };

/** Where a message goes. An empty runId means the run of that workflow id that is open now. */
export interface Address {
  namespaceId: string;
  workflowId: string;
  runId: string;
}

/** Where a message comes from, and where its answer goes. */
export interface Origin extends Address {
  namespace: string;
  /** The event that asked for it. */
  initiatedEventId: number;
}

/** Messages between runs. Encoded API messages are Uint8Array. */
export type Message =
  | {
      kind: 'start-child';
      to: Address;
      origin: Origin;
      /** Encoded StartChildWorkflowExecutionInitiatedEventAttributes. */
      attributes: Uint8Array;
      rootWorkflowId: string;
      rootRunId: string;
      /** The run id the child gets, chosen when the message is written so that a repeated delivery is the same child. */
      childRunId: string;
      /** Encoded UserMetadata of the command. */
      userMetadata: Uint8Array | null;
    }
  | { kind: 'child-started'; to: Address; origin: Origin; runId: string; startedMs: number }
  | { kind: 'child-start-failed'; to: Address; origin: Origin; cause: number }
  /** The child's close event, encoded. */
  | { kind: 'child-closed'; to: Address; origin: Origin; runId: string; closeEvent: Uint8Array }
  | { kind: 'signal'; to: Address; origin: Origin; childOnly: boolean; requestId: string; attributes: Uint8Array }
  | { kind: 'signal-delivered'; to: Address; origin: Origin; failedCause: number }
  | { kind: 'cancel'; to: Address; origin: Origin; childOnly: boolean; requestId: string; reason: string }
  | { kind: 'cancel-delivered'; to: Address; origin: Origin; failedCause: number }
  /** What a parent's close does to a child. */
  | { kind: 'parent-closed'; to: Address; origin: Origin; policy: number };
