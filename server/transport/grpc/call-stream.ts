/** The stream of calls (proto/perdure/v1/calls.proto): requests come in batches, each is handled like a unary call, replies leave in batches. */
import {
  type handleBidiStreamingCall,
  Metadata,
  type MethodDefinition,
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';
import { enums } from '../../core/api.js';
import { resourceExhausted, ServiceError } from '../../core/errors.js';
import { type Call, EncodedResponse, type Handler, type Ticket, type Turn } from '../../engine/call.js';
import { type CallBatch, type CallMessage, decodeCallBatch, encodeReplyBatch, type ReplyMessage, responseBytes } from './call-codec.js';
import type { GrpcStatus } from './status.js';
import type { Connection, Endable } from './connections.js';
import { statusOf, type Surroundings, undecodable } from './unary-call.js';

type Stream = ServerDuplexStream<CallBatch, readonly ReplyMessage[]>;

/** A method as the stream serves it. */
export interface StreamMethod {
  readonly handler: Handler<object>;
  readonly definition: MethodDefinition<object, object>;
}

/** Calls under way on one stream at most; more are refused, so that no client can fill the memory. */
const CALLS_MAX = 20_000;
/** Bytes of replies in one message, well under what clients accept. */
const BATCH_BYTES = 2 * 1024 * 1024;
/** While a client leaves this much unread, no more calls are read from it. */
const UNREAD_BYTES_MAX = 4 * 1024 * 1024;

/** The methods of the open API by name, ready to be called. */
export function streamMethods(
  definitions: readonly { definition: ServiceDefinition; handlerOf: (name: string) => Handler<object> }[],
): Map<string, StreamMethod> {
  const methods = new Map<string, StreamMethod>();
  for (const { definition, handlerOf } of definitions) {
    for (const method of Object.values(definition)) {
      const name = method.path.slice(method.path.lastIndexOf('/') + 1);
      methods.set(name, { handler: handlerOf(name), definition: method as MethodDefinition<object, object> });
    }
  }
  return methods;
}

/** One call of the stream, as use cases see it. */
class StreamCall implements Call, Endable {
  cancelled = false;
  hadItsTurn = false;
  /** Its place in a line, while it waits there. */
  ticket: Ticket | undefined;
  private listeners: (() => void)[] = [];

  constructor(
    readonly method: string,
    readonly deadline: number,
    readonly clientName: string,
    readonly clientVersion: string,
  ) {}

  onCancelled(listener: () => void): void {
    if (this.cancelled) listener();
    else this.listeners.push(listener);
  }

  /** Its connection goes: to its use case that looks the same. */
  endEarly(): void {
    this.cancel();
  }

  cancel(): void {
    this.cancelled = true;
    this.ticket?.withdraw();
    for (const listener of this.listeners.splice(0)) listener();
  }
}

export const CALL_SERVICE = 'perdure.v1.CallService';

const notHere = (): never => {
  throw new Error(`${CALL_SERVICE} is served here, not called`);
};

/** The service, with its messages read and written by hand. */
export const callService = {
  Open: {
    path: `/${CALL_SERVICE}/Open`,
    requestStream: true,
    responseStream: true,
    requestDeserialize: decodeCallBatch,
    responseSerialize: encodeReplyBatch,
    requestSerialize: notHere,
    responseDeserialize: notHere,
  },
} satisfies ServiceDefinition;

export function openCallStream(methods: ReadonlyMap<string, StreamMethod>, surroundings: Omit<Surroundings, 'unread' | 'held'>): handleBidiStreamingCall<CallBatch, readonly ReplyMessage[]> {
  return (stream) => {
    stream.sendMetadata(new Metadata());
    new CallStream(stream, methods, surroundings);
  };
}

/** A call that waits for its turn: as little as possible, since there may be thousands. */
class HeldCall implements Turn {
  constructor(
    private readonly stream: CallStream,
    private readonly message: CallMessage,
    private readonly call: StreamCall,
    private readonly target: StreamMethod,
  ) {}

  begin(): void {
    this.stream.resume(this.message, this.call, this.target);
  }

  refuse(error: Error): void {
    this.stream.refuse(this.message, this.call, error);
  }
}

class CallStream {
  private readonly calls = new Map<number, StreamCall>();
  private replies: ReplyMessage[] = [];
  private flushing = false;
  private blocked = false;
  private paused = false;
  private unreadBytes = 0;
  private ended = false;
  private readonly clientName: string;
  private readonly clientVersion: string;
  private readonly connection: Connection | undefined;

  constructor(
    private readonly stream: Stream,
    private readonly methods: ReadonlyMap<string, StreamMethod>,
    private readonly surroundings: Omit<Surroundings, 'unread' | 'held'>,
  ) {
    this.connection = surroundings.connections?.of(stream.getPeer());
    this.clientName = String(stream.metadata.get('client-name')[0] ?? '');
    this.clientVersion = String(stream.metadata.get('client-version')[0] ?? '');
    stream.on('data', (batch: CallBatch) => this.take(batch));
    stream.on('drain', () => {
      this.blocked = false;
      this.flush();
    });
    stream.on('end', () => this.end());
    stream.on('cancelled', () => this.abandon());
    stream.on('error', () => this.abandon());
  }

  private take(batch: CallBatch): void {
    for (const call of batch.calls) this.begin(call);
    for (const id of batch.cancelled) {
      const call = this.calls.get(id);
      this.calls.delete(id);
      call?.cancel();
    }
  }

  /** A call that waited has its turn. */
  resume(message: CallMessage, call: StreamCall, target: StreamMethod): void {
    call.ticket = undefined;
    call.hadItsTurn = true;
    void this.serve(message, call, target);
  }

  refuse({ id, method }: CallMessage, call: StreamCall, error: unknown): void {
    call.ticket = undefined;
    this.conclude(id, call, failed(id, statusOf(error, method, this.surroundings.log)));
  }

  private begin(message: CallMessage): void {
    const { id, method, timeoutMs, request } = message;
    const deadline = timeoutMs > 0 ? Date.now() + timeoutMs : Number.POSITIVE_INFINITY;
    const call = new StreamCall(method, deadline, this.clientName, this.clientVersion);
    try {
      const target = this.target(id, method);
      this.calls.set(id, call);
      this.surroundings.admit(call, this.stream.metadata);
      const { gate } = target.handler;
      if (gate) {
        call.ticket = gate.enter(request, new HeldCall(this, message, call, target));
        if (call.ticket) return;
        call.hadItsTurn = true;
      }
      void this.serve(message, call, target);
    } catch (error) {
      this.conclude(id, call, failed(id, statusOf(error, method, this.surroundings.log)));
    }
  }

  private async serve({ id, method, request }: CallMessage, call: StreamCall, target: StreamMethod): Promise<void> {
    let reply: ReplyMessage;
    let over: (() => void) | undefined;
    try {
      const message = this.decode(target, request, call);
      over = this.connection?.begin(method, message, call);
      const response = await target.handler(message, call);
      reply = {
        id,
        code: status.OK,
        response: response instanceof EncodedResponse ? response.parts : [Buffer.from(target.definition.responseSerialize(response))],
      };
    } catch (error) {
      reply = failed(id, statusOf(error, method, this.surroundings.log));
    }
    over?.();
    this.conclude(id, call, reply);
  }

  private conclude(id: number, call: StreamCall, reply: ReplyMessage): void {
    const underWay = this.calls.get(id) === call;
    if (!underWay && reply.code === status.OK) return; // its caller went away
    if (underWay) this.calls.delete(id);
    this.reply(reply);
  }

  private target(id: number, method: string): StreamMethod {
    const target = this.methods.get(method);
    if (!target) throw new ServiceError('UNIMPLEMENTED', `There is no method ${method.slice(0, 200)} in the open API.`);
    if (this.calls.has(id)) throw new ServiceError('INVALID_ARGUMENT', `A call with the id ${id} is under way on this stream.`);
    if (this.calls.size >= CALLS_MAX) throw tooManyCalls();
    return target;
  }

  private decode({ definition, handler }: StreamMethod, request: Buffer, { hadItsTurn }: StreamCall): object {
    try {
      return definition.requestDeserialize(request);
    } catch {
      if (hadItsTurn) handler.gate?.leave(request);
      throw undecodable();
    }
  }

  private reply(reply: ReplyMessage): void {
    if (this.ended) return;
    this.replies.push(reply);
    this.unreadBytes += responseBytes(reply);
    if (this.unreadBytes > UNREAD_BYTES_MAX && !this.paused) {
      this.paused = true;
      this.stream.pause();
    }
    if (this.flushing || this.blocked) return;
    this.flushing = true;
    // when everything has run that was ready, and still before the connection sends what this turn of the event loop brought
    process.nextTick(() => {
      this.flushing = false;
      this.flush();
    });
  }

  /** Sends what has gathered, in messages of a bounded size. */
  private flush(): void {
    while (this.replies.length > 0 && !this.blocked && !this.ended) {
      let bytes = 0;
      let count = 0;
      while (count < this.replies.length && (count === 0 || bytes < BATCH_BYTES)) bytes += responseBytes(this.replies[count++]!);
      this.unreadBytes -= bytes;
      this.blocked = !this.stream.write(this.replies.splice(0, count));
    }
    if (this.paused && this.unreadBytes <= UNREAD_BYTES_MAX) {
      this.paused = false;
      this.stream.resume();
    }
  }

  private end(): void {
    this.abandon();
    this.stream.end();
  }

  /** Nobody reads replies any more. */
  private abandon(): void {
    this.ended = true;
    this.replies = [];
    this.unreadBytes = 0;
    const calls = [...this.calls.values()];
    this.calls.clear();
    for (const call of calls) call.cancel();
  }
}

const tooManyCalls = (): ServiceError =>
  resourceExhausted(`More than ${CALLS_MAX} calls are under way on this stream.`, {
    cause: enums.ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT,
    scope: enums.ResourceExhaustedScope.RESOURCE_EXHAUSTED_SCOPE_SYSTEM,
    retryMs: 1_000,
  });

function failed(id: number, { code, details, metadata }: GrpcStatus): ReplyMessage {
  const packed = metadata?.get('grpc-status-details-bin')[0];
  return { id, code: code ?? status.INTERNAL, message: details ?? '', details: Buffer.isBuffer(packed) ? packed : undefined };
}
