/** What every use case knows of the call it serves, and how it may answer with bytes that are already encoded. */

/** One RPC under way. */
export interface Call {
  /** Method name without its service, for example `StartWorkflowExecution`. */
  readonly method: string;
  /** When the caller stops waiting, in milliseconds since the epoch; Infinity when it set no deadline. */
  readonly deadline: number;
  readonly clientName: string;
  readonly clientVersion: string;
  readonly cancelled: boolean;
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

/** A use case as transport calls it: the decoded request in, the response message or its bytes out. */
export type Handler<Request = never, Response = object> = (request: Request, call: Call) => Promise<Response | EncodedResponse>;

/** The use cases of one gRPC service by method name. A method without one answers UNIMPLEMENTED. */
// biome-ignore lint/suspicious/noExplicitAny: the map holds handlers of every request type; each is typed where it is written.
export type Handlers = { [method: string]: Handler<any, any> };
