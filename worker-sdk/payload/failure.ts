// The errors that cross the border between workflows, activities and clients. A class is recognised by its mark and
// not by its identity, so `instanceof` holds when two copies of the SDK are loaded.
import type { Duration } from '../definitions/duration.js';
import type { ApplicationFailureCategory, RetryState, TimeoutType } from './failure-enums.js';
import type { ProtoFailure, temporal } from '../definitions/api.js';

/** A workflow id and, where known, a run id. */
export type WorkflowExecution = temporal.api.common.v1.IWorkflowExecution;

/** What failures made by this SDK name as their source. */
export const FAILURE_SOURCE = 'PerdureSDK';

function isObject(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Whether a value is an Error, of this realm or of another. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || (isObject(value) && typeof value.name === 'string' && typeof value.message === 'string');
}

type ErrorClass = abstract new (...args: never[]) => Error;

/** Marks the instances of an error class and lets `instanceof` look for the mark. Subclasses keep the ordinary check. */
function recognisedByMark(markedClass: ErrorClass, name: string): void {
  const mark = Symbol.for(`perdure.failure.${name}`);
  Object.defineProperty(markedClass.prototype, 'name', { value: name, configurable: true, writable: true });
  Object.defineProperty(markedClass.prototype, mark, { value: true });
  const ordinary = Function.prototype[Symbol.hasInstance];
  Object.defineProperty(markedClass, Symbol.hasInstance, {
    value(this: ErrorClass, instance: unknown): boolean {
      return this === markedClass ? isObject(instance) && instance[mark] === true : ordinary.call(this, instance);
    },
  });
}

/** Base of all failures that cross workflow and activity borders. Throw {@link ApplicationFailure}, never extend these classes. */
export class TemporalFailure extends Error {
  /** The wire form that this error was made from, when it came from the server. */
  failure?: ProtoFailure;

  constructor(
    message?: string | null,
    public override readonly cause?: Error,
  ) {
    super(message ?? undefined);
  }
}

/** A failure that began in the server. */
export class ServerFailure extends TemporalFailure {
  constructor(
    message: string | undefined,
    /** Whether a retry is pointless. */
    public readonly nonRetryable: boolean,
    cause?: Error,
  ) {
    super(message, cause);
  }
}

/** What {@link ApplicationFailure.create} takes. */
export interface ApplicationFailureOptions {
  /** Default: the empty text. */
  message?: string;
  /** Matched against {@link RetryPolicy.nonRetryableErrorTypes}. */
  type?: string;
  /** Whether retrying is pointless. @default false */
  nonRetryable?: boolean;
  /** Values that describe the failure; converted by the payload converter. */
  details?: unknown[];
  /** Overrides the retry policy's delay before the next attempt. */
  nextRetryDelay?: Duration;
  /** What led to it; converted with it, chain and all. */
  cause?: Error;
  /** `BENIGN` for failures that are part of business: logged at DEBUG, counted in no failure metric. */
  category?: ApplicationFailureCategory;
}

/**
 * The failure that user code throws. From a workflow it fails the run (any other error fails only the workflow task, which is
 * retried); from an activity it says whether a retry makes sense.
 *
 * @example
 * ```ts
 * throw ApplicationFailure.create({ message: 'card was declined', type: 'CardDeclined', nonRetryable: true });
 * ```
 */
export class ApplicationFailure extends TemporalFailure {
  constructor(
    message?: string | null,
    /** Matched against {@link RetryPolicy.nonRetryableErrorTypes}; for other errors, the name of their class. */
    public readonly type?: string | null,
    /** Whether it ends all attempts, whatever the policy says. */
    public readonly nonRetryable?: boolean | null,
    /** Values that describe the failure, back from the payload converter. */
    public readonly details?: unknown[] | null,
    cause?: Error,
    /** Overrides the retry policy's pause. Only with who throws: it is not read back from the wire. */
    public readonly nextRetryDelay?: Duration | null,
    /** How much noise it makes. */
    public readonly category?: ApplicationFailureCategory | null,
  ) {
    super(message, cause);
  }

  /** Makes an ApplicationFailure of any error, then overrides what is given. */
  static fromError(error: Error | unknown, overrides?: ApplicationFailureOptions): ApplicationFailure {
    return Object.assign(ensureApplicationFailure(error), overrides);
  }

  /** Makes an ApplicationFailure; retryable unless said otherwise. */
  static create(options: ApplicationFailureOptions): ApplicationFailure {
    const { message, type, nonRetryable = false, details, nextRetryDelay, cause, category } = options;
    return new ApplicationFailure(message, type, nonRetryable, details, cause, nextRetryDelay, category);
  }

  /** A failure that may be retried (unless the retry policy lists its type as non-retryable). */
  static retryable(message?: string | null, type?: string | null, ...details: unknown[]): ApplicationFailure {
    return new ApplicationFailure(message, type ?? 'Error', false, details);
  }

  /** A failure that is never retried. */
  static nonRetryable(message?: string | null, type?: string | null, ...details: unknown[]): ApplicationFailure {
    return new ApplicationFailure(message, type ?? 'Error', true, details);
  }
}

/** Cancellation was requested. Let it propagate to be cancelled, catch it to go on. */
export class CancelledFailure extends TemporalFailure {
  constructor(
    message: string | undefined,
    /** What the cancelled side handed in, if anything. */
    public readonly details: unknown[] = [],
    cause?: Error,
  ) {
    super(message, cause);
  }
}

/** The `cause` of a failure when a workflow was terminated. */
export class TerminatedFailure extends TemporalFailure {}

/** A timeout of an activity or a workflow. */
export class TimeoutFailure extends TemporalFailure {
  constructor(
    message: string | undefined,
    /** Details of the last heartbeat of an activity that timed out; undefined for none. */
    public readonly lastHeartbeatDetails: unknown,
    /** Which limit has passed. */
    public readonly timeoutType: TimeoutType,
  ) {
    super(message);
  }
}

/** An activity failed; `cause` says why. Thrown by the SDK. */
export class ActivityFailure extends TemporalFailure {
  constructor(
    message: string | undefined,
    /** Name under which the activity is registered. */
    public readonly activityType: string,
    /** As scheduled; a number counted up in the run where the options name none. */
    public readonly activityId: string | undefined,
    /** Why there was no other attempt. */
    public readonly retryState: RetryState,
    /** The worker of the last attempt; undefined or empty when none took it. */
    public readonly identity: string | undefined,
    cause?: Error,
  ) {
    super(message, cause);
  }
}

/** A child workflow failed; `cause` says why. Thrown by the SDK. */
export class ChildWorkflowFailure extends TemporalFailure {
  constructor(
    /** Of the child. */
    public readonly namespace: string | undefined,
    /** The child's id, and its run that failed. */
    public readonly execution: WorkflowExecution,
    /** Name of the child's workflow. */
    public readonly workflowType: string,
    /** Why no other run followed. */
    public readonly retryState: RetryState,
    cause?: Error,
  ) {
    super('Child Workflow execution failed', cause);
  }
}

/** The `operation` of a `service` behind an `endpoint` failed; `cause` says why. */
export class NexusOperationFailure extends TemporalFailure {
  constructor(
    message: string | undefined,
    /** The event that scheduled it in the caller's history. */
    public readonly scheduledEventId: number | undefined,
    public readonly endpoint: string,
    public readonly service: string,
    public readonly operation: string,
    /** Names the operation to its handler; absent when it was not started asynchronously. */
    public readonly operationToken: string | undefined,
    cause?: Error,
  ) {
    super(message, cause);
  }
}

/** A workflow with that id runs already, or one closed and the reuse policy forbids another. */
export class WorkflowExecutionAlreadyStartedError extends TemporalFailure {
  constructor(
    message: string,
    /** The id that was asked for. */
    public readonly workflowId: string,
    /** Of the start that was refused. */
    public readonly workflowType: string,
  ) {
    super(message);
  }
}

recognisedByMark(TemporalFailure, 'TemporalFailure');
recognisedByMark(ServerFailure, 'ServerFailure');
recognisedByMark(ApplicationFailure, 'ApplicationFailure');
recognisedByMark(CancelledFailure, 'CancelledFailure');
recognisedByMark(TerminatedFailure, 'TerminatedFailure');
recognisedByMark(TimeoutFailure, 'TimeoutFailure');
recognisedByMark(ActivityFailure, 'ActivityFailure');
recognisedByMark(ChildWorkflowFailure, 'ChildWorkflowFailure');
recognisedByMark(NexusOperationFailure, 'NexusOperationFailure');
recognisedByMark(WorkflowExecutionAlreadyStartedError, 'WorkflowExecutionAlreadyStartedError');

/** Returns an ApplicationFailure as it is and makes one of anything else: message, class name as type, stack and cause are kept. */
export function ensureApplicationFailure(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  if (!isObject(error)) return ApplicationFailure.create({ message: String(error), nonRetryable: false });
  const type = (error.constructor as { name?: string } | undefined)?.name ?? (error.name as string | undefined);
  const failure = ApplicationFailure.create({
    message: error.message ? String(error.message) : String(error),
    type: type || undefined,
    nonRetryable: false,
    cause: isError(error.cause) ? error.cause : undefined,
  });
  failure.stack = error.stack ? String(error.stack) : '';
  return failure;
}

/** Returns a failure as it is and makes an {@link ApplicationFailure} of anything else. */
export function ensureTemporalFailure(error: unknown): TemporalFailure {
  return error instanceof TemporalFailure ? error : ensureApplicationFailure(error);
}

/** A non-retryable failure for payloads that a converter understands but rejects as invalid. */
export function createPayloadValidationError(details: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    message: 'Payload validation failed',
    type: 'PayloadValidationError',
    nonRetryable: true,
    details: details === null || details === undefined ? [] : [details],
  });
}

/** The message at the end of an error's chain of causes. */
export function rootCause(error: unknown): string | undefined {
  if (error instanceof TemporalFailure) return error.cause ? rootCause(error.cause) : error.message;
  if (isError(error)) return error.message;
  return typeof error === 'string' ? error : undefined;
}

/** Whether an error means that something was cancelled: a {@link CancelledFailure}, or an activity or child that ended by one. */
export function isCancellation(error: unknown): boolean {
  if (error instanceof CancelledFailure) return true;
  const wrapped = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure || error instanceof NexusOperationFailure;
  return wrapped && error.cause instanceof CancelledFailure;
}
