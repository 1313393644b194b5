/** The HTTP/2 connection to one address: opened when it is needed, shared, watched, opened again. */
import type { ClientHttp2Session, SecureClientSessionOptions } from 'node:http2';
import http2 from 'node:http2';
import { Metadata as GrpcMetadata, status } from '@grpc/grpc-js';
import type { UnaryCall } from './channel.js';
import { GrpcError } from './grpc-error.js';

/** How the connection behaves. */
export interface Http2Options {
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

/** Keeps one session to an address. */
export class Http2Sessions {
  private session: ClientHttp2Session | undefined;
  private connecting: Promise<ClientHttp2Session> | undefined;
  private readonly inFlight = new WeakMap<ClientHttp2Session, number>();
  private readonly closing = new AbortController();

  constructor(private readonly options: Http2Options) {}

  get closed(): boolean {
    return this.closing.signal.aborted;
  }

  /** The open session, if there is one that takes calls. */
  usable(): ClientHttp2Session | undefined {
    const { session } = this;
    return session && !session.closed && !session.destroyed ? session : undefined;
  }

  /** The session, opened if need be, within the time and signal of a call. Calls that come meanwhile share it. */
  async obtain(call: Pick<UnaryCall, 'timeoutMs' | 'signal'>): Promise<ClientHttp2Session> {
    if (this.closed) throw new GrpcError(status.CANCELLED, 'The connection was closed', new GrpcMetadata());
    return this.usable() ?? this.waitForSession(call);
  }

  /** Counts a call under way: a process may end while its connection is idle, but not before. */
  begin(session: ClientHttp2Session): void {
    const count = this.inFlight.get(session) ?? 0;
    if (count === 0) session.ref();
    this.inFlight.set(session, count + 1);
  }

  /** The counterpart of {@link begin}. */
  end(session: ClientHttp2Session): void {
    const count = (this.inFlight.get(session) ?? 1) - 1;
    this.inFlight.set(session, count);
    if (count === 0 && !session.destroyed) session.unref();
  }

  close(): void {
    this.closing.abort();
    this.session?.destroy(undefined, http2.constants.NGHTTP2_CANCEL);
    this.session = undefined;
  }

  private waitForSession({ timeoutMs, signal }: Pick<UnaryCall, 'timeoutMs' | 'signal'>): Promise<ClientHttp2Session> {
    this.connecting ??= this.connect().finally(() => {
      this.connecting = undefined;
    });
    const { connecting } = this;
    return new Promise((resolve, reject) => {
      const fail = (code: status, message: string) => () => reject(new GrpcError(code, message, new GrpcMetadata()));
      const onAbort = fail(status.CANCELLED, 'Cancelled on client');
      const timer = setTimeout(fail(status.DEADLINE_EXCEEDED, `Deadline exceeded: no connection to ${this.options.address}`), timeoutMs);
      if (signal?.aborted) onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      connecting.then(resolve, reject).finally(() => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
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
        reject(new GrpcError(status.UNAVAILABLE, `No connection to ${address}: ${message}`, new GrpcMetadata(), { cause }));
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
