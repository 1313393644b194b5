/** ExecuteMultiOperation fails as a whole; which of its operations is to blame lies in the typed details. */
import { Metadata, type status } from '@grpc/grpc-js';
import proto from '@temporalio/proto';
import { findErrorDetail, GrpcError, isGrpcServiceError } from '../transport/grpc-error.js';

/** The failure of each operation of a failed multi-operation, undefined for those that only fell with the others. */
function operationErrors(err: unknown): (GrpcError | undefined)[] {
  const failure = isGrpcServiceError(err) ? findErrorDetail(err, 'MultiOperationExecutionFailure') : undefined;
  return (failure?.statuses ?? []).map((operation) => {
    const aborted = operation.details?.some((any) => any.type_url?.endsWith('.MultiOperationExecutionAborted'));
    if (!operation.code || aborted) return undefined;
    const metadata = new Metadata();
    const { code, message, details } = operation;
    const bytes = proto.google.rpc.Status.encode({ code, message, details: details ?? [] }).finish();
    metadata.set('grpc-status-details-bin', Buffer.from(bytes));
    return new GrpcError(code as status, message ?? '', metadata, { cause: err });
  });
}

/** The first operation's own failure, or the error itself. */
export function innermostError(err: unknown): unknown {
  return operationErrors(err).find((operation) => operation !== undefined) ?? err;
}
