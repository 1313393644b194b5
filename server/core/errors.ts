/**
 * Expected failures, as typed values. Every error that a caller may see is a ServiceError; transport maps it once to a
 * gRPC status with its typed details. Anything else that is thrown is a defect and reaches the caller as INTERNAL without its text.
 */
import { toDuration } from './api.js';

/** gRPC status names that the engine answers with. */
export type StatusName =
  | 'CANCELLED'
  | 'UNKNOWN'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'OUT_OF_RANGE'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'UNAUTHENTICATED';

/** One typed detail of a google.rpc.Status: the full name of its message and its fields. */
export interface ErrorDetail {
  /** For example `temporal.api.errordetails.v1.NotFoundFailure`. */
  readonly type: string;
  readonly value: object;
}

const DETAILS = 'temporal.api.errordetails.v1.';

export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  constructor(
    readonly code: StatusName,
    message: string,
    readonly details: readonly ErrorDetail[] = [],
  ) {
    super(message);
  }
}

/** A detail message of the API's errordetails package by its short name. */
export const detail = (name: string, value: object = {}): ErrorDetail => ({ type: DETAILS + name, value });

export const invalidArgument = (message: string): ServiceError => new ServiceError('INVALID_ARGUMENT', message);

export const notFound = (message: string): ServiceError => new ServiceError('NOT_FOUND', message, [detail('NotFoundFailure')]);

export const namespaceNotFound = (namespace: string): ServiceError =>
  new ServiceError('NOT_FOUND', `Namespace ${namespace} is not found.`, [detail('NamespaceNotFoundFailure', { namespace })]);

export const unimplemented = (message: string): ServiceError => new ServiceError('UNIMPLEMENTED', message);

export const failedPrecondition = (message: string): ServiceError => new ServiceError('FAILED_PRECONDITION', message);

export const unavailable = (message: string): ServiceError => new ServiceError('UNAVAILABLE', message);

export interface Exhausted {
  /** temporal.api.enums.v1.ResourceExhaustedCause and ResourceExhaustedScope. */
  readonly cause: number;
  readonly scope: number;
  /** When the caller may come again. */
  readonly retryMs: number;
}

/** Where there is no room, many are refused in a moment: the stack, which costs more than all the rest of an answer, is left out. */
export function resourceExhausted(message: string, { cause, scope, retryMs }: Exhausted): ServiceError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return new ServiceError('RESOURCE_EXHAUSTED', message, [
      // the failure's own detail comes first: some SDKs read no further
      detail('ResourceExhaustedFailure', { cause, scope }),
      { type: 'google.rpc.RetryInfo', value: { retryDelay: toDuration(Math.round(retryMs)) } },
    ]);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

export const permissionDenied = (message: string): ServiceError =>
  new ServiceError('PERMISSION_DENIED', message, [detail('PermissionDeniedFailure')]);
