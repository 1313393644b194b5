/** A failed call, and what the server said about it in typed details. */
import type { Metadata, ServiceError } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { google } from '@temporalio/proto';
import proto from '@temporalio/proto';

/** Metadata key of the serialized google.rpc.Status. */
const STATUS_DETAILS = 'grpc-status-details-bin';

/** A call that ended with a status other than OK. Same shape as grpc-js's ServiceError. */
export class GrpcError extends Error implements ServiceError {
  override readonly name = 'GrpcError';
  /** The call had reached the server when its connection broke: not a server that cannot be reached. */
  connectionLost = false;

  constructor(
    readonly code: status,
    readonly details: string,
    readonly metadata: Metadata,
    options?: ErrorOptions,
  ) {
    super(`${code} ${status[code] ?? 'UNKNOWN'}: ${details}`, options);
  }
}

/** Whether `err` is the failure of a gRPC call, from this or any other transport. */
export function isGrpcServiceError(err: unknown): err is ServiceError {
  if (!(err instanceof Error)) return false;
  const candidate = err as Partial<ServiceError>;
  return typeof candidate.code === 'number' && candidate.details !== undefined && candidate.metadata !== undefined;
}

/** Whether `err` is a call that ran into its deadline, or wraps one. */
export function isGrpcDeadlineError(err: unknown): err is Error {
  return hasCode(err, status.DEADLINE_EXCEEDED);
}

/** Whether `err` is a call that was cancelled by its caller, or wraps one. */
export function isGrpcCancelledError(err: unknown): err is Error {
  return hasCode(err, status.CANCELLED);
}

function hasCode(err: unknown, code: status): boolean {
  for (let error = err; error instanceof Error; error = error.cause) {
    if (isGrpcServiceError(error) && error.code === code) return true;
  }
  return false;
}

/** The `details` of the google.rpc.Status that came with a failed call; undefined when none came. */
function getGrpcStatusDetails(err: Pick<ServiceError, 'metadata'>): google.protobuf.IAny[] | undefined {
  const raw = err.metadata?.get?.(STATUS_DETAILS)?.[0];
  if (raw === undefined || typeof raw === 'string') return undefined;
  return proto.google.rpc.Status.decode(raw).details;
}

/** A server is not believed when it asks its callers to stay away for longer. */
const ASKED_MAX_MS = 30_000;

/** Milliseconds after which the server asks to be tried again (google.rpc.RetryInfo); undefined when it says nothing. */
export function askedRetryMs(err: Pick<ServiceError, 'metadata'>): number | undefined {
  const found = getGrpcStatusDetails(err)?.find((any) => any.type_url?.endsWith('/google.rpc.RetryInfo'));
  // a message of one field, a Duration, which is shorter than 128 bytes: tag, length, bytes
  const value = found?.value;
  if (value?.[0] !== 0x0a || value.length < 2 + value[1]!) return undefined;
  const { seconds, nanos } = proto.google.protobuf.Duration.decode(value.subarray(2, 2 + value[1]!));
  return Math.min(ASKED_MAX_MS, Number(seconds) * 1000 + nanos / 1e6);
}

const details = proto.temporal.api.errordetails.v1;
type DetailName = keyof typeof details;
type Detail<Name extends DetailName> = (typeof details)[Name]['prototype'];

/** The typed detail `name` (of temporal.api.errordetails.v1) of a failed call; undefined when it has none of that type. */
export function findErrorDetail<Name extends DetailName>(err: ServiceError, name: Name): Detail<Name> | undefined {
  const found = getGrpcStatusDetails(err)?.find((any) => any.type_url?.endsWith(`/temporal.api.errordetails.v1.${name}`));
  if (!found) return undefined;
  const type = details[name] as unknown as { decode(bytes: Uint8Array): Detail<Name> };
  return type.decode(found.value ?? new Uint8Array());
}
