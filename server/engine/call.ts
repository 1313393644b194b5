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
  constructor(readonly bytes: Uint8Array) {}
}

/** A use case as transport calls it: the decoded request in, the response message or its bytes out. */
export type Handler<Request = never, Response = object> = (request: Request, call: Call) => Promise<Response | EncodedResponse>;

/** The use cases of one gRPC service by method name. A method without one answers UNIMPLEMENTED. */
// biome-ignore lint/suspicious/noExplicitAny: the map holds handlers of every request type; each is typed where it is written.
export type Handlers = { [method: string]: Handler<any, any> };
