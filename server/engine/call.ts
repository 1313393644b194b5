/** What every use case knows of the call it serves, and how it may answer with bytes that are already encoded. */
import type { ServiceError } from '../core/errors.js';

/** One RPC under way. */
export interface Call {
  /** Method name without its service, for example `StartWorkflowExecution`. */
  readonly method: string;
  /** When the caller stops waiting, in milliseconds since the epoch; Infinity when it set no deadline. */
  readonly deadline: number;
  readonly clientName: string;
  readonly clientVersion: string;
  readonly cancelled: boolean;
  /** It had its turn before its request was decoded (see {@link Gate}). */
  readonly hadItsTurn?: boolean;
  /** Runs the listener once when the caller goes away (cancel, disconnect, deadline); at once if it already has. */
  onCancelled(listener: () => void): void;
}

/** A response that is already serialized: transport sends its bytes as they are. */
export class EncodedResponse {
  /** What the bytes are made of: joining messages' bytes joins the messages, so that large ones need not be copied to be added to. */
  readonly parts: readonly Uint8Array[];

  constructor(...parts: readonly Uint8Array[]) {
    this.parts = parts;
  }

  get byteLength(): number {
    return this.parts.reduce((sum, part) => sum + part.length, 0);
  }

  /** Joined, unless there is one part alone. */
  get bytes(): Buffer {
    const [only] = this.parts;
    return this.parts.length === 1 ? Buffer.from(only!.buffer, only!.byteOffset, only!.byteLength) : Buffer.concat(this.parts);
  }
}

/** Whoever waits for their turn is told once: that it has come, or why it will not. */
export interface Turn {
  begin(): void;
  refuse(error: ServiceError): void;
}

/** A place in a line. */
export interface Ticket {
  /** Gives the place up; nobody is told of anything any more. */
  withdraw(): void;
  /** Others need the room: whoever waits is told to come again later. */
  refuse(): void;
}

/** Lets calls in by what their requests say at first sight: one that has to wait, or is refused, is not decoded. */
export interface Gate {
  /** Undefined: it may begin at once. Throws when it is refused at once. */
  enter(request: Uint8Array, turn: Turn): Ticket | undefined;
  /** One that was let in and does not come to its use case. */
  leave(request: Uint8Array): void;
}

/** A use case as transport calls it: the decoded request in, the response message or its bytes out. Where there is a gate, the call passes it first. */
export interface Handler<Request = never, Response = object> {
  (request: Request, call: Call): Promise<Response | EncodedResponse>;
  readonly gate?: Gate;
}

/** The use cases of one gRPC service by method name. A method without one answers UNIMPLEMENTED. */
// biome-ignore lint/suspicious/noExplicitAny: the map holds handlers of every request type; each is typed where it is written.
export type Handlers = { [method: string]: Handler<any, any> };
