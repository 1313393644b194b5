/**
 * gRPC on node:http2. grpc-js spends 125–150 µs of CPU on a unary call here, this 60: the layers between (filters,
 * load balancing, interceptors) do nothing for a worker that talks to one address. Where the server offers the stream of
 * calls, calls share its messages and cost a tenth of that. docs/decisions has the figures.
 */
import type { ClientHttp2Session } from 'node:http2';
import { CallStream } from './call-stream.js';
import type { Channel, Metadata, UnaryCall } from './channel.js';
import { runHttp2Call } from './http2-call.js';
import type { Http2Options } from './http2-session.js';
import { Http2Sessions } from './http2-session.js';

/** The stream is opened with the second call of a session: whoever makes only one needs none. */
const CALLS_BEFORE_STREAM = 2;
/** Larger requests travel by themselves, so that they hold nothing up and fit the server's message limit. */
const STREAM_REQUEST_MAX_BYTES = 256 << 10;
/** A server whose stream broke is asked for another after so long. */
const REOPEN_MS = 1_000;

const STREAMED_SERVICES = ['/temporal.api.workflowservice.v1.WorkflowService/', '/temporal.api.operatorservice.v1.OperatorService/'];

/** A channel with one HTTP/2 connection. */
export class Http2Channel implements Channel {
  private readonly sessions: Http2Sessions;
  private stream: CallStream | undefined;
  /** Undefined until the server was asked. */
  private offersStream: boolean | undefined;
  private notBeforeMs = 0;
  private calls = 0;

  constructor(options: Http2Options, useStream = true) {
    this.sessions = new Http2Sessions(options);
    if (!useStream) this.offersStream = false;
  }

  get sharesStream(): boolean {
    const { stream } = this;
    return stream?.isOpen === true && !stream.ended;
  }

  unary(call: UnaryCall): Promise<Uint8Array> {
    const session = this.sessions.usable();
    const stream = session && this.streamFor(session, call);
    return stream ? stream.call(call) : this.alone(call, session);
  }

  /** The call on a stream of its own. */
  private async alone(call: UnaryCall, usable: ClientHttp2Session | undefined): Promise<Uint8Array> {
    const session = usable ?? (await this.connectFor(call));
    // The first calls of a session wait for it together: the stream is opened for those that follow.
    if (!usable) this.streamFor(session, call);
    this.sessions.begin(session);
    try {
      return await runHttp2Call(session, call);
    } finally {
      this.sessions.end(session);
    }
  }

  close(): void {
    this.sessions.close();
  }

  private async connectFor(call: UnaryCall): Promise<ClientHttp2Session> {
    const begin = Date.now();
    const session = await this.sessions.obtain(call);
    call.timeoutMs = Math.max(1, call.timeoutMs - (Date.now() - begin));
    return session;
  }

  /** The stream, if this call may use it. */
  private streamFor(session: ClientHttp2Session, call: UnaryCall): CallStream | undefined {
    if (this.offersStream === false || call.extraMetadata || call.request.length > STREAM_REQUEST_MAX_BYTES) return undefined;
    if (!STREAMED_SERVICES.some((service) => call.path.startsWith(service))) return undefined;
    const { stream } = this;
    if (stream?.belongsTo(session, call.metadata) && !stream.ended) return stream.isOpen ? stream : undefined;
    if (++this.calls >= CALLS_BEFORE_STREAM && Date.now() >= this.notBeforeMs) this.openStream(session, call.metadata);
    return undefined;
  }

  /** Calls go one by one until the server has answered that it has the service. */
  private openStream(session: ClientHttp2Session, metadata: Metadata): void {
    this.notBeforeMs = Date.now() + REOPEN_MS;
    this.stream?.finish();
    this.stream = undefined;
    try {
      this.stream = new CallStream(session, metadata, {
        onBusy: () => this.sessions.begin(session),
        onIdle: () => this.sessions.end(session),
        onMissing: () => {
          this.offersStream = false;
        },
      });
    } catch {
      // The session ended this very moment: the call at hand will say so, and another session brings another stream.
    }
  }
}
