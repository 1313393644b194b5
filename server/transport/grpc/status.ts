/**
 * Errors as gRPC sees them. A ServiceError keeps its code, its text and its typed details, which SDKs read from the trailer
 * `grpc-status-details-bin`; anything else is a defect of ours: it is logged with its stack and answered without its text.
 */
import { Metadata, type ServerErrorResponse, status } from '@grpc/grpc-js';
import { type ErrorDetail, ServiceError } from '../../core/errors.js';
import { messageType } from './open-api.js';

/** Trailers travel in one header block, which clients bound (16 KiB by default in grpc-js and in Go's older releases). */
const MAX_MESSAGE_BYTES = 4096;
const MAX_DETAILS_BYTES = 8192;

/** What grpc-js sends: a status code, its text, and trailers. */
export type GrpcStatus = Pick<ServerErrorResponse, 'code' | 'details' | 'metadata' | 'name' | 'message'>;

/**
 * A text that can be sent as `grpc-message`: well-formed (grpc-js percent-encodes it, and a lone surrogate would throw there,
 * outside of any handler) and short enough for a trailer.
 */
function statusText(text: string): string {
  const wellFormed = text.replace(/\p{Surrogate}/gu, '\uFFFD');
  const bytes = Buffer.from(wellFormed);
  if (bytes.length <= MAX_MESSAGE_BYTES) return wellFormed;
  return `${bytes
    .subarray(0, MAX_MESSAGE_BYTES)
    .toString()
    .replace(/\uFFFD$/, '')}…`;
}

const packDetail = ({ type, value }: ErrorDetail) => ({
  type_url: `type.googleapis.com/${type}`,
  value: messageType(type).encode(messageType(type).create(value)).finish(),
});

function detailsTrailer(code: number, message: string, details: readonly ErrorDetail[]): Metadata {
  const metadata = new Metadata();
  if (details.length === 0) return metadata;
  const Status = messageType('google.rpc.Status');
  const bytes = Buffer.from(Status.encode(Status.create({ code, message, details: details.map(packDetail) })).finish());
  if (bytes.length <= MAX_DETAILS_BYTES) metadata.set('grpc-status-details-bin', bytes);
  return metadata;
}

/** The status of an expected failure. */
export function serviceErrorStatus(error: ServiceError): GrpcStatus {
  const code = status[error.code];
  const details = statusText(error.message);
  return { name: error.name, message: error.message, code, details, metadata: detailsTrailer(code, details, error.details) };
}

/** The status of a defect: nothing of its text leaves the process. */
export function defectStatus(): GrpcStatus {
  const text = 'The server failed to handle the request; its log has the details.';
  return { name: 'InternalError', message: text, code: status.INTERNAL, details: text, metadata: new Metadata() };
}

/** Whether that is an expected failure, which its caller may see. */
export const isServiceError = (error: unknown): error is ServiceError => error instanceof ServiceError;
