/**
 * Many calls on one HTTP/2 stream, where the server offers perdure.v1.CallService: calls that are made in one go leave in one
 * message, and replies come in batches. Each call has its own status, deadline and cancellation.
 */
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { Metadata as GrpcMetadata, status } from '@grpc/grpc-js';
import { AbortWatch } from './abort-watch.js';
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
  readonly id: number;
  /** When it ends with DEADLINE_EXCEEDED, by the clock of `performance.now()`. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
  resolve(response: Uint8Array): void;
  reject(error: GrpcError): void;
}

/** What a stream tells its owner. */
export interface CallStreamEvents {
  /** The first call is under way. */
  onBusy(): void;
  /** The last call has ended. */
  onIdle(): void;
  /** The server does not have the service. */
  onMissing(): void;
}

/** One stream of calls. */
export class CallStream {
  /** The server has the service: calls may be made. */
  isOpen = false;
  /** No more calls may be made; those under way may still be answered. */
  ended = false;

  private readonly stream: ClientHttp2Stream;
  private readonly pending = new Map<number, Pending>();
  private readonly aborts = new AbortWatch<Pending>((call) => this.abandon(call, status.CANCELLED, 'Cancelled on client'));
  /** One timer for all calls, for the first of their deadlines or earlier: it stays when that call is over, and looks again when it rings. */
  private deadlineTimer: NodeJS.Timeout | undefined;
  private timerAtMs = Number.POSITIVE_INFINITY;
  private readonly frames = new MessageFrames();
  private queue: StreamedCall[] = [];
  private cancelled: number[] = [];
  /** Whether the owner was told that calls are under way. */
  private busy = false;
  private idling = false;
  private flushing = false;
  private flushingLater = false;
  private blocked = false;
  private lastId = 0;

  constructor(
    private readonly session: ClientHttp2Session,
    private readonly metadata: Metadata,
    private readonly events: CallStreamEvents,
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
      if (reason.code === status.UNIMPLEMENTED) this.events.onMissing();
      this.end(reason);
    });
  }

  /** Whether the stream is on that connection and carries that metadata. */
  belongsTo(session: ClientHttp2Session, metadata: Metadata): boolean {
    return this.session === session && this.metadata === metadata;
  }

  /** Makes a call; see {@link Channel.unary}. */
  call({ path, request, timeoutMs, signal, canWait }: UnaryCall): Promise<Uint8Array> {
    if (signal?.aborted) return Promise.reject(new GrpcError(status.CANCELLED, 'Cancelled on client', new GrpcMetadata()));
    return new Promise((resolve, reject) => {
      const id = this.nextId();
      const call = { id, deadlineMs: performance.now() + timeoutMs, signal, resolve, reject };
      this.pending.set(id, call);
      this.becomeBusy();
      if (signal) this.aborts.add(signal, call);
      if (call.deadlineMs < this.timerAtMs) this.startTimer(call.deadlineMs);
      this.queue.push({ id, method: path.slice(path.lastIndexOf('/') + 1), request, timeoutMs: Math.ceil(timeoutMs) });
      if (canWait) this.scheduleLaterFlush();
      else this.scheduleFlush();
    });
  }

  /** Takes no more calls; ends when those under way are answered. */
  finish(): void {
    this.ended = true;
    if (this.pending.size === 0) this.stream.end();
  }

  private settle(call: Pending, result: Uint8Array | GrpcError): void {
    if (call.signal) this.aborts.remove(call.signal, call);
    this.pending.delete(call.id);
    if (this.pending.size === 0) this.scheduleIdle();
    if (result instanceof GrpcError) call.reject(result);
    else call.resolve(result);
  }

  private becomeBusy(): void {
    if (this.busy) return;
    this.busy = true;
    this.events.onBusy();
  }

  /** Unless whoever got the last reply makes the next call at once, as most do. */
  private scheduleIdle(): void {
    if (this.idling) return;
    this.idling = true;
    process.nextTick(this.becomeIdle);
  }

  private readonly becomeIdle = (): void => {
    this.idling = false;
    if (this.pending.size > 0 || !this.busy) return;
    this.busy = false;
    this.events.onIdle();
    if (this.ended && !this.stream.destroyed && !this.stream.writableEnded) this.stream.end();
  };

  /** Its caller does not wait any longer. */
  private abandon(call: Pending, code: status, message: string): void {
    this.settle(call, new GrpcError(code, message, new GrpcMetadata()));
    this.cancelled.push(call.id);
    this.scheduleFlush();
  }

  private startTimer(atMs: number): void {
    clearTimeout(this.deadlineTimer);
    this.timerAtMs = atMs;
    if (atMs === Number.POSITIVE_INFINITY) return;
    // What keeps the process from ending is the connection that calls are under way on.
    this.deadlineTimer = setTimeout(() => this.expire(), Math.max(0, atMs - performance.now())).unref();
  }

  private expire(): void {
    // Node's timers may be early by the part of a millisecond.
    const now = performance.now() + 1;
    let first = Number.POSITIVE_INFINITY;
    for (const call of [...this.pending.values()]) {
      if (call.deadlineMs <= now) this.abandon(call, status.DEADLINE_EXCEEDED, 'Deadline exceeded');
      else first = Math.min(first, call.deadlineMs);
    }
    this.startTimer(first);
  }

  private nextId(): number {
    do this.lastId = (this.lastId + 1) >>> 0;
    while (this.lastId === 0 || this.pending.has(this.lastId));
    return this.lastId;
  }

  /**
   * When all that is ready has made its calls: ticks come after all microtasks. What answers a message of the server leaves before the event
   * loop goes on, and costs neither another turn of it nor a system call to look for more.
   */
  private scheduleFlush(): void {
    if (this.flushing || this.blocked) return;
    this.flushing = true;
    process.nextTick(this.flushSoon);
  }

  private readonly flushSoon = (): void => {
    this.flushing = false;
    this.flush();
  };

  /** In the next turn of the event loop, unless something leaves before. */
  private scheduleLaterFlush(): void {
    if (this.flushing || this.flushingLater || this.blocked) return;
    this.flushingLater = true;
    setImmediate(this.inNextTurn);
  }

  private readonly inNextTurn = (): void => {
    if (this.queue.length > 0) setImmediate(this.flushLater);
    else this.flushingLater = false;
  };

  private readonly flushLater = (): void => {
    this.flushingLater = false;
    this.flush();
  };

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
      for (const reply of decodeReplyBatch(message)) {
        const call = this.pending.get(reply.id);
        if (call) this.settle(call, resultOf(reply));
      }
    }
  }

  private end(reason: GrpcError): void {
    this.ended = true;
    clearTimeout(this.deadlineTimer);
    this.queue = [];
    this.cancelled = [];
    // Nobody knows whether a call without its reply took effect: as with a unary call whose connection dropped.
    const lost = new GrpcError(status.UNAVAILABLE, `Stream of calls ended: ${reason.details}`, reason.metadata, { cause: reason });
    lost.connectionLost = reason.connectionLost;
    for (const call of [...this.pending.values()]) this.settle(call, lost);
    this.aborts.close();
  }
}

function resultOf({ code, message, details, response }: StreamedReply): Uint8Array | GrpcError {
  // A copy: what is kept of a response must not keep the whole batch that it came in.
  if (code === status.OK) return Buffer.from(response);
  const metadata = new GrpcMetadata();
  if (details.length > 0) metadata.set('grpc-status-details-bin', Buffer.from(details));
  return new GrpcError(code, message, metadata);
}
