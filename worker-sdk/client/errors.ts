/** Errors that a client's calls end with, and how a failed RPC becomes one of them. */
import type { ServiceError as GrpcServiceError } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { temporal } from '../definitions/api.js';
import { NamespaceNotFoundError, WorkflowNotFoundError } from '../definitions/errors.js';
import { CancelledFailure } from '../payload/failure.js';
import type { RetryState } from '../payload/failure-enums.js';
import { findErrorDetail, isGrpcServiceError } from '../transport/grpc-error.js';
import { innermostError } from './multi-operation.js';
import type { WorkflowExecution } from './types.js';

export { isGrpcCancelledError, isGrpcDeadlineError, isGrpcServiceError } from '../transport/grpc-error.js';

class ClientError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true, writable: true });
  }
}

/** A call failed for a reason that has no class of its own; the reason is the `cause`. */
export class ServiceError extends ClientError {}

/**
 * The workflow did not complete: see `cause` for its failure (ApplicationFailure, TimeoutFailure, CancelledFailure,
 * TerminatedFailure, ActivityFailure …).
 */
export class WorkflowFailedError extends ClientError {
  constructor(
    message: string,
    public override readonly cause: Error | undefined,
    /** Why no other run follows, from the run's last event; undefined when the server does not say. */
    public readonly retryState: RetryState | undefined,
  ) {
    super(message);
  }
}

/** The update was rejected or its handler failed: see `cause`. */
export class WorkflowUpdateFailedError extends ClientError {
  constructor(
    message: string,
    public override readonly cause: Error | undefined,
  ) {
    super(message);
  }
}

/** Waiting for an update ended by its deadline or abort signal. The update itself may still complete. */
export class WorkflowUpdateRPCTimeoutOrCancelledError extends ClientError {}

/** The workflow continued as a new run, and the caller asked not to follow. */
export class WorkflowContinuedAsNewError extends ClientError {
  constructor(
    message: string,
    /** The run to go on with; empty when the server does not say. */
    public readonly newExecutionRunId: string,
  ) {
    super(message);
  }
}

/** The query was refused because of the run's `status`, the API's number; see QueryRejectCondition. */
export class QueryRejectedError extends ClientError {
  constructor(public readonly status: temporal.api.enums.v1.WorkflowExecutionStatus) {
    super(`Query rejected because of the workflow's status: ${status}`);
  }
}

/** The workflow has no handler for the query, or the handler threw. */
export class QueryNotRegisteredError extends ClientError {
  constructor(
    message: string,
    /** INVALID_ARGUMENT, which is 3. */
    public readonly code: status,
  ) {
    super(message);
  }
}

/** The server knows no such open activity. */
export class ActivityNotFoundError extends ClientError {}
/** Completing an activity failed. */
export class ActivityCompletionError extends ClientError {}
/** The activity's cancellation was requested: learnt by a heartbeat. */
export class ActivityCancelledError extends ClientError {}
/** The activity was paused: learnt by a heartbeat. */
export class ActivityPausedError extends ClientError {}
/** The activity was reset: learnt by a heartbeat. */
export class ActivityResetError extends ClientError {}

/** A schedule of that id exists. */
export class ScheduleAlreadyRunning extends ClientError {
  constructor(
    message: string,
    /** The id that was asked for. */
    public readonly scheduleId: string,
  ) {
    super(message);
  }
}

/** The server knows no such schedule. */
export class ScheduleNotFoundError extends ClientError {
  constructor(
    message: string,
    /** The id that was asked for. */
    public readonly scheduleId: string,
  ) {
    super(message);
  }
}

/** Throws the error that the server's typed details call for, if any does. */
export function rethrowKnownErrorTypes(err: GrpcServiceError): void {
  const namespace = findErrorDetail(err, 'NamespaceNotFoundFailure');
  if (namespace) throw new NamespaceNotFoundError(namespace.namespace);
}

/** Throws the client's error for a failed RPC about a workflow. */
export function rethrowGrpcError(err: unknown, fallbackMessage: string, execution?: WorkflowExecution): never {
  const failed = innermostError(err);
  if (!isGrpcServiceError(failed)) throw new ServiceError('Unexpected error while making gRPC request', { cause: err });
  rethrowKnownErrorTypes(failed);
  if (failed.code === status.NOT_FOUND) {
    throw new WorkflowNotFoundError(failed.details || 'Workflow not found', execution?.workflowId ?? '', execution?.runId);
  }
  throw new ServiceError(`${fallbackMessage}: ${failed.details}`, { cause: failed });
}

/** Whether a call ended before it had an answer: by its deadline, or because it was cancelled. */
export function hasEnded(err: unknown): boolean {
  return isGrpcServiceError(err) && (err.code === status.DEADLINE_EXCEEDED || err.code === status.CANCELLED);
}

/** Throws the client's error for a failed RPC about an update. */
export function rethrowUpdateGrpcError(err: unknown, fallbackMessage: string, execution?: WorkflowExecution): never {
  const failed = innermostError(err);
  if (hasEnded(failed) || err instanceof CancelledFailure) {
    throw new WorkflowUpdateRPCTimeoutOrCancelledError((failed as GrpcServiceError).details || 'Waiting for the update ended', {
      cause: err,
    });
  }
  rethrowGrpcError(err, fallbackMessage, execution);
}
