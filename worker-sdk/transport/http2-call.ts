/** One unary gRPC call on an HTTP/2 session: frames, trailers, and every way in which a stream can end. */
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import http2 from 'node:http2';
import { Metadata as GrpcMetadata, status } from '@grpc/grpc-js';
import type { Metadata, UnaryCall } from './channel.js';
import { metadataOf } from './channel.js';
import { GrpcError } from './grpc-error.js';

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_INADEQUATE_SECURITY } = http2.constants;

/** Five bytes before a message: whether it is compressed, and its length. */
export const PREFIX_BYTES = 5;
/** Larger requests are written after their prefix rather than copied behind it. */
const COPY_LIMIT_BYTES = 64 << 10;
/** Largest response taken; a server's own limit is usually far below. */
const MAX_RESPONSE_BYTES = 128 << 20;

/** Statuses for HTTP answers that never reached a gRPC server, from the gRPC protocol's table. */
const STATUS_OF_HTTP: Record<number, status> = {
  400: status.INTERNAL,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.UNIMPLEMENTED,
  429: status.UNAVAILABLE,
  502: status.UNAVAILABLE,
  503: status.UNAVAILABLE,
  504: status.UNAVAILABLE,
};

/** Runs a call; see {@link Channel.unary}. */
export function runHttp2Call(session: ClientHttp2Session, call: UnaryCall): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    if (call.signal?.aborted) return reject(failure(status.CANCELLED, 'Cancelled on client'));
    let stream: ClientHttp2Stream;
    try {
      stream = session.request(requestHeaders(call));
    } catch (err) {
      return reject(failure(status.UNAVAILABLE, (err as Error).message, undefined, err));
    }
    let response: IncomingHttpHeaders | undefined;
    let trailers: IncomingHttpHeaders | undefined;
    let error: Error | undefined;
    let bytes = 0;
    const chunks: Buffer[] = [];

    const settle = (result: Uint8Array | GrpcError) => {
      clearTimeout(timer);
      call.signal?.removeEventListener('abort', onAbort);
      if (result instanceof GrpcError) reject(result);
      else resolve(result);
    };
    const abandon = (code: status, message: string) => {
      settle(failure(code, message));
      stream.close(NGHTTP2_CANCEL);
    };
    const onAbort = () => abandon(status.CANCELLED, 'Cancelled on client');
    const timer = setTimeout(() => abandon(status.DEADLINE_EXCEEDED, 'Deadline exceeded'), call.timeoutMs);
    call.signal?.addEventListener('abort', onAbort);

    stream.on('response', (headers) => {
      response = headers;
    });
    stream.on('trailers', (headers) => {
      trailers = headers;
    });
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_RESPONSE_BYTES) abandon(status.RESOURCE_EXHAUSTED, `Response larger than max of ${MAX_RESPONSE_BYTES} bytes`);
      else chunks.push(chunk);
    });
    stream.on('error', (err) => {
      error = err;
    });
    stream.on('close', () => settle(outcome(stream, response, trailers, chunks, error)));
    writeRequest(stream, call.request);
  });
}

function requestHeaders(call: UnaryCall): OutgoingHttpHeaders {
  return {
    ':method': 'POST',
    ':path': call.path,
    te: 'trailers',
    'content-type': 'application/grpc',
    'grpc-timeout': timeoutHeader(call.timeoutMs),
    ...metadataHeaders(metadataOf(call)),
  };
}

/** Metadata as headers: bytes in base64. */
export function metadataHeaders(metadata: Metadata): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (const key in metadata) {
    const value = metadata[key]!;
    headers[key] = typeof value === 'string' ? value : value.toString('base64').replace(/=+$/, '');
  }
  return headers;
}

/** At most eight digits and a unit. */
function timeoutHeader(ms: number): string {
  if (ms < 1e8) return `${Math.ceil(ms)}m`;
  return `${Math.min(99_999_999, Math.ceil(ms / 1000))}S`;
}

function writeRequest(stream: ClientHttp2Stream, request: Uint8Array): void {
  const small = request.length <= COPY_LIMIT_BYTES;
  const frame = Buffer.allocUnsafe(small ? PREFIX_BYTES + request.length : PREFIX_BYTES);
  frame[0] = 0;
  frame.writeUInt32BE(request.length, 1);
  if (small) {
    frame.set(request, PREFIX_BYTES);
    stream.end(frame);
  } else {
    stream.write(frame);
    stream.end(request);
  }
}

/** What a stream that has ended means: its message, or why there is none. */
function outcome(
  stream: ClientHttp2Stream,
  response: IncomingHttpHeaders | undefined,
  trailers: IncomingHttpHeaders | undefined,
  chunks: Buffer[],
  error: Error | undefined,
): Uint8Array | GrpcError {
  // An answer without a body carries its status in the only headers it has.
  const ending = trailers ?? response;
  if (ending?.['grpc-status'] === '0') return message(chunks);
  return streamFailure(stream, response, ending, error);
}

/** Why a stream that has ended did so, when it did not end with OK. */
export function streamFailure(
  stream: ClientHttp2Stream,
  response: IncomingHttpHeaders | undefined,
  ending: IncomingHttpHeaders | undefined,
  error: Error | undefined,
): GrpcError {
  const code = ending?.['grpc-status'];
  if (code !== undefined) return failure(Number(code), decodeMessageText(ending?.['grpc-message']), ending);
  const httpStatus = Number(response?.[':status'] ?? 0);
  if (response && httpStatus !== 200)
    return failure(STATUS_OF_HTTP[httpStatus] ?? status.UNKNOWN, `Received HTTP status ${httpStatus}`, response);
  const [resetCode, reason] = resetStatus(stream.rstCode);
  const lost = failure(resetCode, error ? `${reason}: ${error.message}` : reason, undefined, error);
  lost.connectionLost = resetCode === status.UNAVAILABLE;
  return lost;
}

function resetStatus(code: number | undefined): [status, string] {
  switch (code) {
    case NGHTTP2_REFUSED_STREAM:
      return [status.UNAVAILABLE, 'Stream refused by server'];
    case NGHTTP2_ENHANCE_YOUR_CALM:
      return [status.RESOURCE_EXHAUSTED, 'Bandwidth exhausted or memory limit exceeded'];
    case NGHTTP2_INADEQUATE_SECURITY:
      return [status.PERMISSION_DENIED, 'Protocol not secure enough'];
    default:
      // The connection went away, or the server gave the stream up: whether the call took effect is not known.
      return [status.UNAVAILABLE, `Connection dropped (RST_STREAM code ${code ?? 'none'})`];
  }
}

function message(chunks: Buffer[]): Uint8Array | GrpcError {
  const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  if (body.length < PREFIX_BYTES) return failure(status.INTERNAL, 'Server answered OK without a message');
  if (body[0] !== 0) return failure(status.INTERNAL, 'Server compressed a response although the client accepts no compression');
  const length = body.readUInt32BE(1);
  if (body.length !== PREFIX_BYTES + length)
    return failure(status.INTERNAL, `Response of ${length} bytes arrived with ${body.length - PREFIX_BYTES}`);
  return body.subarray(PREFIX_BYTES);
}

/** `grpc-message` is percent-encoded. */
function decodeMessageText(text: string | string[] | undefined): string {
  if (typeof text !== 'string') return '';
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function failure(code: status, details: string, headers?: IncomingHttpHeaders, cause?: unknown): GrpcError {
  const metadata = new GrpcMetadata();
  for (const [key, value] of Object.entries(headers ?? {})) {
    if (key.startsWith(':') || key === 'grpc-status' || key === 'grpc-message' || value === undefined) continue;
    for (const item of Array.isArray(value) ? value : [value]) {
      // Several values of one binary key may come joined by commas.
      if (key.endsWith('-bin')) for (const part of item.split(',')) metadata.add(key, Buffer.from(part, 'base64'));
      else metadata.add(key, item);
    }
  }
  return new GrpcError(code, details, metadata, { cause });
}
