/**
 * Many calls on one HTTP/2 stream, where the server offers perdure.v1.CallService: calls that are made in one turn of the
 * event loop leave in one message, and replies come in batches. Each call has its own status, deadline and cancellation.
 */
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { Metadata as GrpcMetadata, status } from '@grpc/grpc-js';
import type { StreamedCall, StreamedReply } from './call-codec.js';
import { decodeReplyBatch, encodeCallBatch } from './call-codec.js';
import type { Metadata, UnaryCall } from './channel.js';
import { MessageFrames } from './frames.js';
import { GrpcError } from './grpc-error.js';
import { metadataHeaders, PREFIX_BYTES, streamFailure } from './http2-call.js';

const PATH = '/perdure.v1.CallService/Open';
/** Requests in one message, well under what servers accept. */
const BATCH_BYTES = 1 << 20;

/** A call without its reply. */
interface Pending {
  settle(result: Uint8Array | GrpcError): void;
}

/** One stream of calls. */
export class CallStream {
  /** The server has the service: calls may be made. */
  isOpen = false;
  /** No more calls may be made; those under way may still be answered. */
  ended = false;

  private readonly stream: ClientHttp2Stream;
  private readonly pending = new Map<number, Pending>();
  private readonly frames = new MessageFrames();
  private queue: StreamedCall[] = [];
  private cancelled: number[] = [];
  private flushing = false;
  private blocked = false;
  private lastId = 0;

  /** @param onMissing Called when the server does not have the service. */
  constructor(
    private readonly session: ClientHttp2Session,
    private readonly metadata: Metadata,
    onMissing: () => void,
  ) {
    this.stream = session.request({
      ':method': 'POST',
      ':path': PATH,
      te: 'trailers',
      'content-type': 'application/grpc',
      ...metadataHeaders(metadata),
    });
    // The server wants to stop: it waits for the stream, and the stream for its calls.
    session.once('goaway', () => this.finish());
    let response: IncomingHttpHeaders | undefined;
    let trailers: IncomingHttpHeaders | undefined;
    let error: Error | undefined;
    this.stream.on('response', (headers) => {
      response = headers;
      this.isOpen = headers[':status'] === 200 && headers['grpc-status'] === undefined;
    });
    this.stream.on('trailers', (headers) => {
      trailers = headers;
    });
    this.stream.on('error', (err) => {
      error = err;
    });
    this.stream.on('data', (chunk: Buffer) => this.receive(chunk));
    this.stream.on('drain', () => {
      this.blocked = false;
      this.flush();
    });
    this.stream.on('close', () => {
      const reason = streamFailure(this.stream, response, trailers ?? response, error);
      if (reason.code === status.UNIMPLEMENTED) onMissing();
      this.end(reason);
    });
  }

  /** Whether the stream is on that connection and carries that metadata. */
  belongsTo(session: ClientHttp2Session, metadata: Metadata): boolean {
    return this.session === session && this.metadata === metadata;
  }

  /** Makes a call; see {@link Channel.unary}. */
  call(call: UnaryCall): Promise<Uint8Array> {
    if (call.signal?.aborted) return Promise.reject(new GrpcError(status.CANCELLED, 'Cancelled on client', new GrpcMetadata()));
    const id = this.nextId();
    const { signal } = call;
    return new Promise((resolve, reject) => {
      const settle = (result: Uint8Array | GrpcError) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.pending.delete(id);
        if (this.ended && this.pending.size === 0) this.stream.end();
        if (result instanceof GrpcError) reject(result);
        else resolve(result);
      };
      const abandon = (code: status, message: string) => {
        settle(new GrpcError(code, message, new GrpcMetadata()));
        this.cancelled.push(id);
        this.scheduleFlush();
      };
      const onAbort = () => abandon(status.CANCELLED, 'Cancelled on client');
      const timer = setTimeout(() => abandon(status.DEADLINE_EXCEEDED, 'Deadline exceeded'), call.timeoutMs);
      signal?.addEventListener('abort', onAbort);
      this.pending.set(id, { settle });
      const method = call.path.slice(call.path.lastIndexOf('/') + 1);
      this.queue.push({ id, method, request: call.request, timeoutMs: Math.ceil(call.timeoutMs) });
      this.scheduleFlush();
    });
  }

  /** Takes no more calls; ends when those under way are answered. */
  finish(): void {
    this.ended = true;
    if (this.pending.size === 0) this.stream.end();
  }

  private nextId(): number {
    do this.lastId = (this.lastId + 1) >>> 0;
    while (this.lastId === 0 || this.pending.has(this.lastId));
    return this.lastId;
  }

  private scheduleFlush(): void {
    if (this.flushing || this.blocked) return;
    this.flushing = true;
    setImmediate(() => {
      this.flushing = false;
      this.flush();
    });
  }

  private flush(): void {
    while ((this.queue.length > 0 || this.cancelled.length > 0) && !this.blocked && !this.stream.destroyed) {
      let bytes = 0;
      let count = 0;
      while (count < this.queue.length && (count === 0 || bytes < BATCH_BYTES)) bytes += this.queue[count++]!.request.length;
      const message = encodeCallBatch(this.queue.splice(0, count), this.cancelled.splice(0));
      const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
      frame[0] = 0;
      frame.writeUInt32BE(message.length, 1);
      frame.set(message, PREFIX_BYTES);
      this.blocked = !this.stream.write(frame);
    }
  }

  private receive(chunk: Buffer): void {
    for (const message of this.frames.push(chunk)) {
      for (const reply of decodeReplyBatch(message)) this.pending.get(reply.id)?.settle(resultOf(reply));
    }
  }

  private end(reason: GrpcError): void {
    this.ended = true;
    this.queue = [];
    this.cancelled = [];
    // Nobody knows whether a call without its reply took effect: as with a unary call whose connection dropped.
    const lost = new GrpcError(status.UNAVAILABLE, `Stream of calls ended: ${reason.details}`, reason.metadata, { cause: reason });
    lost.connectionLost = reason.connectionLost;
    for (const { settle } of [...this.pending.values()]) settle(lost);
  }
}

function resultOf({ code, message, details, response }: StreamedReply): Uint8Array | GrpcError {
  // A copy: what is kept of a response must not keep the whole batch that it came in.
  if (code === status.OK) return Buffer.from(response);
  const metadata = new GrpcMetadata();
  if (details.length > 0) metadata.set('grpc-status-details-bin', Buffer.from(details));
  return new GrpcError(code, message, metadata);
}
