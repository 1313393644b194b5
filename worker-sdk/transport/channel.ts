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
  /** The connection's metadata: the same object as long as nothing in it changes. */
  metadata: Metadata;
  /** Metadata of this call alone, which wins over the connection's. */
  extraMetadata: Metadata | undefined;
  /** Sent as metadata too, where calls travel one by one: servers and proxies route by it without reading the message. */
  namespace: string | undefined;
  /** The attempt ends with DEADLINE_EXCEEDED after so many milliseconds. */
  timeoutMs: number;
  /** Ends the attempt with CANCELLED. */
  signal: AbortSignal | undefined;
  /** Nobody is in a hurry: it may wait a moment, so as to travel with what follows. */
  canWait?: boolean;
}

/** All metadata of a call that travels by itself. */
export function metadataOf({ metadata, extraMetadata, namespace }: UnaryCall): Metadata {
  return { ...(namespace ? { 'temporal-namespace': namespace } : undefined), ...metadata, ...extraMetadata };
}

/** Carries calls to one address. Connects when it is first used, and again whenever it has to. */
export interface Channel {
  /** Whether calls share one stream at the moment, so that many may wait at little cost. */
  readonly sharesStream: boolean;
  /** Makes one attempt of a call. Resolves to the serialized response; rejects with a GrpcError. */
  unary(call: UnaryCall): Promise<Uint8Array>;
  /** Ends all calls with CANCELLED and the connection. */
  close(): void;
}
