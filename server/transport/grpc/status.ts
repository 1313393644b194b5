/**
 * Errors as gRPC sees them. A ServiceError keeps its code, its text and its typed details, which SDKs read from the trailer
 * `grpc-status-details-bin`; anything else is a defect of ours: it is logged with its stack and answered without its text.
 */
import { Metadata, type ServerErrorResponse, status } from '@grpc/grpc-js';
import type { Failure } from '../../core/api.js';
import { type ErrorDetail, ServiceError } from '../../core/errors.js';
import { truncateFailure } from '../../core/failure.js';
import { messageType } from './open-api.js';

/**
 * Trailers travel in one header block, and a client that finds it too large drops the whole answer: 16 KiB in clients built on hyper,
 * the Rust core of many SDKs among them. The text is counted as it travels, percent-encoded; details travel in base64.
 */
const MAX_ENCODED_TEXT = 3500;
const MAX_DETAILS_BYTES = 8192;
/** What is kept of a failure inside a detail that is too large. */
const MAX_FAILURE_BYTES = 6000;

/** What grpc-js sends: a status code, its text, and trailers. */
export type GrpcStatus = Pick<ServerErrorResponse, 'code' | 'details' | 'metadata' | 'name' | 'message'>;

/**
 * A text that can be sent as `grpc-message`: well-formed (grpc-js percent-encodes it, and a lone surrogate would throw there,
 * outside of any handler) and short enough for a trailer.
 */
function statusText(text: string): string {
  const wellFormed = text.replace(/\p{Surrogate}/gu, '\uFFFD');
  if (wellFormed.length * 9 <= MAX_ENCODED_TEXT || encodeURI(wellFormed).length <= MAX_ENCODED_TEXT) return wellFormed;
  let length = 0;
  let kept = '';
  for (const character of wellFormed) {
    length += encodeURI(character).length;
    if (length > MAX_ENCODED_TEXT) break;
    kept += character;
  }
  return `${kept}…`;
}

const packDetail = ({ type, value }: ErrorDetail) => ({
  type_url: `type.googleapis.com/${type}`,
  value: messageType(type).encode(messageType(type).create(value)).finish(),
});

/** The same detail with less of the failure that a worker or a run reported in it. */
function shortened(detail: ErrorDetail): ErrorDetail {
  const { failure } = detail.value as { failure?: Failure };
  return failure ? { ...detail, value: { ...detail.value, failure: truncateFailure(failure, MAX_FAILURE_BYTES) } } : detail;
}

function detailsTrailer(code: number, message: string, details: readonly ErrorDetail[]): Metadata {
  const metadata = new Metadata();
  if (details.length === 0) return metadata;
  const Status = messageType('google.rpc.Status');
  const pack = (each: readonly ErrorDetail[]) =>
    Buffer.from(Status.encode(Status.create({ code, message, details: each.map(packDetail) })).finish());
  let bytes = pack(details);
  if (bytes.length > MAX_DETAILS_BYTES) bytes = pack(details.map(shortened));
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
