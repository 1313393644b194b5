/**
 * gRPC on node:http2. grpc-js spends 125–150 µs of CPU on a unary call here, this 60: the layers between (filters,
 * load balancing, interceptors) do nothing for a worker that talks to one address. docs/decisions has the figures.
 */
import type { ClientHttp2Session, SecureClientSessionOptions } from 'node:http2';
import http2 from 'node:http2';
import { Metadata as GrpcMetadata, status } from '@grpc/grpc-js';
import type { Channel, UnaryCall } from './channel.js';
import { GrpcError } from './grpc-error.js';
import { runHttp2Call } from './http2-call.js';

/** How the connection behaves. */
export interface Http2ChannelOptions {
  /** `host:port`. */
  address: string;
  /** Set for TLS. */
  tls: SecureClientSessionOptions | undefined;
  /** Longest time that opening a connection may take. */
  connectTimeoutMs: number;
  /** A ping after so long, also when nothing is under way; 0 for none. */
  keepaliveTimeMs: number;
  /** A connection whose ping is not answered in this time is given up. */
  keepaliveTimeoutMs: number;
}

/** Flow control windows: large enough that a 4 MiB history does not wait for the other side's permission. */
const WINDOW_BYTES = 8 << 20;

const unavailable = (message: string, cause?: unknown) => new GrpcError(status.UNAVAILABLE, message, new GrpcMetadata(), { cause });

/** A channel with one HTTP/2 connection, which is opened when a call needs it. */
export class Http2Channel implements Channel {
  private session: ClientHttp2Session | undefined;
  private connecting: Promise<ClientHttp2Session> | undefined;
  private inFlight = 0;
  private closed = false;
  private readonly closing = new AbortController();

  constructor(private readonly options: Http2ChannelOptions) {}

  async unary(call: UnaryCall): Promise<Uint8Array> {
    if (this.closed) throw new GrpcError(status.CANCELLED, 'The connection was closed', new GrpcMetadata());
    const deadline = Date.now() + call.timeoutMs;
    const session = this.usableSession() ?? (await this.waitForSession(call));
    // A process may end while a connection is idle, but not while a call is under way.
    if (this.inFlight++ === 0) session.ref();
    try {
      return await runHttp2Call(session, call, Math.max(1, deadline - Date.now()));
    } finally {
      if (--this.inFlight === 0 && !session.destroyed) session.unref();
    }
  }

  close(): void {
    this.closed = true;
    this.closing.abort();
    this.session?.destroy(undefined, http2.constants.NGHTTP2_CANCEL);
    this.session = undefined;
  }

  private usableSession(): ClientHttp2Session | undefined {
    const session = this.session;
    return session && !session.closed && !session.destroyed ? session : undefined;
  }

  /** Calls that come while a connection is being opened share it, each with its own deadline. */
  private waitForSession(call: UnaryCall): Promise<ClientHttp2Session> {
    this.connecting ??= this.connect().finally(() => {
      this.connecting = undefined;
    });
    const connecting = this.connecting;
    return new Promise((resolve, reject) => {
      const fail = (code: status, message: string) => () => reject(new GrpcError(code, message, new GrpcMetadata()));
      const onAbort = fail(status.CANCELLED, 'Cancelled on client');
      const timer = setTimeout(
        fail(status.DEADLINE_EXCEEDED, `Deadline exceeded: no connection to ${this.options.address}`),
        call.timeoutMs,
      );
      if (call.signal?.aborted) onAbort();
      call.signal?.addEventListener('abort', onAbort, { once: true });
      connecting.then(resolve, reject).finally(() => {
        clearTimeout(timer);
        call.signal?.removeEventListener('abort', onAbort);
      });
    });
  }

  private connect(): Promise<ClientHttp2Session> {
    const { address, tls, connectTimeoutMs } = this.options;
    return new Promise((resolve, reject) => {
      const session = http2.connect(`${tls ? 'https' : 'http'}://${address}`, {
        ...tls,
        settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
      });
      const fail = (message: string, cause?: unknown) => {
        clearTimeout(timer);
        session.destroy();
        reject(unavailable(`No connection to ${address}: ${message}`, cause));
      };
      const timer = setTimeout(() => fail(`not opened within ${connectTimeoutMs} ms`), connectTimeoutMs);
      const onClosing = () => fail('the connection was closed');
      this.closing.signal.addEventListener('abort', onClosing, { once: true });
      // Stays for the life of the session: an error that nobody listens to would end the process.
      session.on('error', (err) => fail(err.message, err));
      session.on('close', () => {
        this.closing.signal.removeEventListener('abort', onClosing);
        if (this.session === session) this.session = undefined;
        fail('closed by the server');
      });
      session.once('connect', () => {
        clearTimeout(timer);
        session.setLocalWindowSize(WINDOW_BYTES);
        this.session = session;
        this.keepAlive(session);
        resolve(session);
      });
    });
  }

  /** Finds out that the other side is gone, which TCP alone may not notice for minutes. */
  private keepAlive(session: ClientHttp2Session): void {
    const { keepaliveTimeMs, keepaliveTimeoutMs } = this.options;
    if (keepaliveTimeMs <= 0) return;
    const timer = setInterval(() => {
      const timeout = setTimeout(() => session.destroy(new Error('keepalive ping was not answered')), keepaliveTimeoutMs).unref();
      if (!session.ping(() => clearTimeout(timeout))) clearTimeout(timeout);
    }, keepaliveTimeMs).unref();
    session.once('close', () => clearInterval(timer));
  }
}
