/** The seam between what the API says (methods, messages, retries) and how bytes travel. */
import type { MetadataValue } from '@grpc/grpc-js';

/** Metadata of a call, by lower-case name. Values of `-bin` keys are bytes. */
export type Metadata = Record<string, MetadataValue>;

/** One attempt of a call. */
export interface UnaryCall {
  /** `/package.Service/Method`. */
  path: string;
  /** The serialized request. */
  request: Uint8Array;
  metadata: Metadata;
  /** The attempt ends with DEADLINE_EXCEEDED after so many milliseconds. */
  timeoutMs: number;
  /** Ends the attempt with CANCELLED. */
  signal: AbortSignal | undefined;
}

/** Carries calls to one address. Connects when it is first used, and again whenever it has to. */
export interface Channel {
  /** Makes one attempt of a call. Resolves to the serialized response; rejects with a GrpcError. */
  unary(call: UnaryCall): Promise<Uint8Array>;
  /** Ends all calls with CANCELLED and the connection. */
  close(): void;
}
