/** Why an ExecuteMultiOperation failed, operation by operation. */
import { api, type temporal } from '../core/api.js';
import { detail, ServiceError, type StatusName } from '../core/errors.js';

type OperationStatus = temporal.api.errordetails.v1.MultiOperationExecutionFailure.IOperationStatus;
type Any = NonNullable<OperationStatus['details']>[number];

/** Numbers of gRPC's status codes. */
const CODES: Record<StatusName, number> = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
};

const DETAILS = 'temporal.api.errordetails.v1.';
const ABORTED_TYPE = 'temporal.api.failure.v1.MultiOperationExecutionAborted';

/** An operation that was not tried, or undone, because the other one failed. */
const aborted = (): OperationStatus => ({
  code: CODES.ABORTED,
  message: 'Operation was aborted.',
  details: [{ type_url: `type.googleapis.com/${ABORTED_TYPE}`, value: api.failure.v1.MultiOperationExecutionAborted.encode({}).finish() }],
});

interface Codec {
  create(value: object): object;
  encode(value: object): { finish(): Uint8Array };
}

function packed(error: ServiceError): Any[] {
  return error.details.map(({ type, value }) => {
    const codec = (api.errordetails.v1 as unknown as Record<string, Codec>)[type.slice(DETAILS.length)];
    if (!codec) throw new Error(`no error detail of type ${type}`);
    return { type_url: `type.googleapis.com/${type}`, value: codec.encode(codec.create(value)).finish() };
  });
}

const failed = (error: ServiceError): OperationStatus => ({ code: CODES[error.code], message: error.message, details: packed(error) });

/** What became of one operation: its error, `ok`, or `aborted` because of the other. */
export type OperationResult = ServiceError | 'ok' | 'aborted';

/** The error of the whole call; its code is that of the first operation that failed by itself. */
export function multiOperationFailure(results: readonly OperationResult[]): ServiceError {
  const statuses = results.map((result) => (result === 'ok' ? { code: 0 } : result === 'aborted' ? aborted() : failed(result)));
  const first = results.find((result): result is ServiceError => result instanceof ServiceError && result.code !== 'ABORTED');
  return new ServiceError(first?.code ?? 'ABORTED', 'Update-with-Start could not be executed.', [
    detail('MultiOperationExecutionFailure', { statuses }),
  ]);
}
