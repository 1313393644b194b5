/** Between grpc-js and the use cases: one unary call in, one answer or one status out, whatever the handler does. */
import type { handleUnaryCall, Metadata, ServerUnaryCall, ServiceDefinition } from '@grpc/grpc-js';
import { ServiceError } from '../../core/errors.js';
import type { Call, Gate, Handler, Ticket } from '../../engine/call.js';
import { isServiceError, type GrpcStatus, defectStatus, serviceErrorStatus } from './status.js';
import type { GrpcLog } from './log.js';
import type { Connections, Endable } from './connections.js';
import type { HeldCalls } from './held-calls.js';
import type { UnreadAnswers } from './unread-answers.js';

const header = (metadata: Metadata, name: string): string => {
  const value = metadata.get(name)[0];
  return typeof value === 'string' ? value : '';
};

/** A call under way, as use cases see it. grpc-js also says "cancelled" after a normal end, which is not passed on. */
class UnaryCall implements Call, Endable {
  #answered = false;
  #early = false;
  hadItsTurn = false;
  #listening = false;
  #listeners: Array<() => void> = [];

  constructor(
    readonly method: string,
    private readonly call: ServerUnaryCall<object, object>,
  ) {}

  get deadline(): number {
    return Number(this.call.getDeadline());
  }
  get clientName(): string {
    return header(this.call.metadata, 'client-name');
  }
  get clientVersion(): string {
    return header(this.call.metadata, 'client-version');
  }
  get cancelled(): boolean {
    return this.#early || (!this.#answered && this.call.cancelled);
  }

  onCancelled(listener: () => void): void {
    if (this.#answered) return;
    if (this.#early || this.call.cancelled) {
      listener();
      return;
    }
    this.#listeners.push(listener);
    if (this.#listening) return;
    this.#listening = true;
    this.call.once('cancelled', () => {
      if (!this.#answered) this.#tell();
    });
  }

  /** The connection goes: to its use case that looks as if its caller had gone, and it answers with what there is. */
  endEarly(): void {
    this.#early = true;
    this.#tell();
  }

  #tell(): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const each of listeners) each();
  }

  /** From here on the caller has its answer, and nobody is told of a cancel. */
  answered(): void {
    this.#answered = true;
    this.#listeners = [];
  }
}

/** What a caller is told of an error; one that nobody expected is logged. */
export function statusOf(error: unknown, method: string, log: GrpcLog): GrpcStatus {
  if (isServiceError(error)) return serviceErrorStatus(error);
  log.error({ err: error, method }, 'a request failed unexpectedly');
  return defectStatus();
}

/** The bytes are no request of that method. */
export const undecodable = (): ServiceError => new ServiceError('INVALID_ARGUMENT', 'The request cannot be decoded.');

/** Rules that every call is held against before its handler sees it; throws what the caller is to be told. */
export type Admission = (call: Call, metadata: Metadata) => void;

/** What is the same for every method. */
export interface Surroundings {
  readonly admit: Admission;
  readonly unread: UnreadAnswers;
  readonly held: HeldCalls;
  readonly log: GrpcLog;
  /** Where connections are handed over by another process: those. */
  readonly connections: Connections | undefined;
}

/**
 * A handler as grpc-js calls it. Where it has a gate, grpc-js passes the bytes of the request (see {@link undecoded}), and `decode` makes a message of
 * them once the call has passed.
 */
export function unary(
  method: string,
  handler: Handler<object>,
  { admit, log, unread, connections, held }: Surroundings,
  decode: (bytes: Buffer) => object,
): handleUnaryCall<object, object> {
  const { gate } = handler;
  return (grpcCall, reply) => {
    const call = new UnaryCall(method, grpcCall);
    const refuse = (error: unknown): void => {
      call.answered();
      reply(statusOf(error, method, log));
    };
    const serve = (request: object): void => {
      const over = connections?.of(grpcCall.getPeer())?.begin(method, request, call);
      handler(request, call)
        .finally(over)
        .then((response) => {
          call.answered();
          const refused = unread.take(method, grpcCall, response);
          if (refused) reply(serviceErrorStatus(refused));
          else reply(null, response);
        }, refuse);
    };
    try {
      admit(call, grpcCall.metadata);
      if (gate) passGate(gate, call, grpcCall.request as Buffer, { serve, refuse, decode, held, peer: grpcCall.getPeer() });
      else serve(grpcCall.request);
    } catch (error) {
      refuse(error);
    }
  };
}

interface Passage {
  readonly serve: (request: object) => void;
  readonly refuse: (error: unknown) => void;
  readonly decode: (bytes: Buffer) => object;
  readonly held: HeldCalls;
  readonly peer: string;
}

function passGate(gate: Gate, call: UnaryCall, bytes: Buffer, { serve, refuse, decode, held, peer }: Passage): void {
  let ticket: Ticket | undefined;
  const waited = (): void => {
    if (ticket) held.remove(peer, ticket);
  };
  const begin = (): void => {
    waited();
    let request: object;
    try {
      request = decode(bytes);
    } catch {
      gate.leave(bytes);
      refuse(undecodable());
      return;
    }
    call.hadItsTurn = true;
    serve(request);
  };
  const turnedAway = (error: unknown): void => {
    waited();
    refuse(error);
  };
  ticket = gate.enter(bytes, { begin, refuse: turnedAway });
  if (!ticket) {
    begin();
    return;
  }
  held.add(peer, ticket);
  call.onCancelled(() => {
    waited();
    ticket?.withdraw();
  });
}

/** A service of which the methods with a gate get their requests as bytes. */
export const undecoded = (definition: ServiceDefinition, handlerOf: (method: string) => Handler<object> | undefined): ServiceDefinition =>
  Object.fromEntries(
    Object.entries(definition).map(([key, method]) => [key, handlerOf(key)?.gate ? { ...method, requestDeserialize: (bytes: Buffer) => bytes } : method]),
  );
