/**
 * Errors that any part of the SDK may throw and that do not travel between workflows and activities
 * (those are the failures of `payload/failure.ts`).
 */

/** Gives every instance of a class the class's own name, also after minification of the caller's bundle. */
function named(target: { prototype: Error }, name: string): void {
  Object.defineProperty(target.prototype, 'name', { value: name, configurable: true, writable: true });
}

/** Thrown when a value is unexpected or cannot be handled. */
export class ValueError extends Error {
  constructor(
    message: string | undefined,
    public override readonly cause?: unknown,
  ) {
    super(message ?? undefined);
  }
}
named(ValueError, 'ValueError');

/** Thrown when a payload converter is misconfigured. */
export class PayloadConverterError extends ValueError {}
named(PayloadConverterError, 'PayloadConverterError');

/** Thrown when an operation is illegal in the present state, for example using a connection after it was closed. */
export class IllegalStateError extends Error {}
named(IllegalStateError, 'IllegalStateError');

/**
 * The server knows no such workflow: the id is wrong, the run is closed (for signal, cancel, terminate), or it was
 * deleted at the end of its retention.
 */
export class WorkflowNotFoundError extends Error {
  constructor(
    message: string,
    /** The id that was asked for; empty when the call named none. */
    public readonly workflowId: string,
    /** The run that was asked for; undefined for the latest. */
    public readonly runId: string | undefined,
  ) {
    super(message);
  }
}
named(WorkflowNotFoundError, 'WorkflowNotFoundError');

/** The server knows no such `namespace`. */
export class NamespaceNotFoundError extends Error {
  constructor(public readonly namespace: string) {
    super(`Namespace not found: '${namespace}'`);
  }
}
named(NamespaceNotFoundError, 'NamespaceNotFoundError');

/**
 * Thrown from an activity to make the worker forget it: the activity stays open and is completed later from anywhere
 * with the client's `client.activity.complete(taskToken, result)`.
 */
export class CompleteAsyncError extends Error {}
named(CompleteAsyncError, 'CompleteAsyncError');
