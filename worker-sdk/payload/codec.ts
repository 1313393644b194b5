/**
 * Payload codecs: a user's encryption or compression between the converter and the wire. Codecs are asynchronous and
 * never run inside a workflow. With none configured nothing here costs more than an array check.
 */
import type { Payload } from '../definitions/api.js';
import { ValueError } from '../definitions/errors.js';
import type { SerializationContext } from './serialization-context.js';

/** Transforms payloads on their way out and in, for example to encrypt them. */
export interface PayloadCodec {
  /** Encodes payloads for the wire; the answer has as many as the argument. Run in the order of the codecs. */
  encode(payloads: Payload[], context?: SerializationContext): Promise<Payload[]>;
  /** Decodes payloads from the wire. Run in the opposite order. */
  decode(payloads: Payload[], context?: SerializationContext): Promise<Payload[]>;
}

type Transform = (payloads: Payload[]) => Promise<Payload[]>;

/** Runs all codecs over payloads on their way out. */
export async function encodeWithCodecs(
  codecs: readonly PayloadCodec[],
  payloads: Payload[],
  context?: SerializationContext,
): Promise<Payload[]> {
  if (codecs.length > 0) payloads = payloads.map(ofThisRealm);
  for (const codec of codecs) payloads = await codec.encode(payloads, context);
  return payloads;
}

/** Payloads of workflow code have the sandbox's classes, and codecs may ask for `instanceof Uint8Array`. */
function ofThisRealm(payload: Payload): Payload {
  const entries = Object.entries(payload.metadata ?? {}).map(([key, value]) => [key, bytesOfThisRealm(value)] as const);
  return { ...payload, metadata: Object.fromEntries(entries), data: payload.data ? bytesOfThisRealm(payload.data) : payload.data };
}

function bytesOfThisRealm(bytes: Uint8Array): Uint8Array {
  return bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
}

/** Runs all codecs over payloads on their way in. */
export async function decodeWithCodecs(
  codecs: readonly PayloadCodec[],
  payloads: Payload[],
  context?: SerializationContext,
): Promise<Payload[]> {
  for (let i = codecs.length - 1; i >= 0; i--) payloads = await codecs[i]!.decode(payloads, context);
  return payloads;
}

/**
 * A copy of a message with every payload in it encoded, however deep it lies: arguments, results, memos, failures with
 * their causes. Search attributes stay as they are, because the server reads them. Without codecs, the message itself.
 */
export async function encodeMessage<T extends object>(
  codecs: readonly PayloadCodec[],
  message: T,
  context?: SerializationContext,
): Promise<T> {
  return codecs.length === 0 ? message : transformMessage(message, (payloads) => encodeWithCodecs(codecs, payloads, context));
}

/** The inverse of {@link encodeMessage}. */
export async function decodeMessage<T extends object>(
  codecs: readonly PayloadCodec[],
  message: T,
  context?: SerializationContext,
): Promise<T> {
  return codecs.length === 0 ? message : transformMessage(message, (payloads) => decodeWithCodecs(codecs, payloads, context));
}

/** A list or map that holds payloads: they go through the codecs together. */
interface Group {
  holder: Record<string, unknown>;
  keys: string[];
}

async function transformMessage<T extends object>(message: T, transform: Transform): Promise<T> {
  const groups: Group[] = [];
  const copy = copyAndCollect(message, groups);
  await Promise.all(
    groups.map(async ({ holder, keys }) => {
      const transformed = await transform(keys.map((key) => holder[key] as Payload));
      if (transformed.length !== keys.length) {
        throw new ValueError(`Payload codec changed the number of payloads: expected ${keys.length}, got ${transformed.length}`);
      }
      keys.forEach((key, i) => {
        holder[key] = transformed[i];
      });
    }),
  );
  return copy as T;
}

/** A Payload message is known by its metadata; everything else of the API has no field of that name and shape. */
function isPayload(value: object): boolean {
  const metadata = (value as Payload).metadata;
  return metadata !== undefined && metadata !== null && ('data' in value || ArrayBuffer.isView(metadata.encoding));
}

/** Numbers of 64 bits and bytes are values, not messages. */
function isLeaf(value: unknown): boolean {
  return value === null || typeof value !== 'object' || ArrayBuffer.isView(value) || 'unsigned' in value;
}

function copyAndCollect(node: object, groups: Group[]): object {
  const copy: Record<string, unknown> = Array.isArray(node)
    ? ([] as unknown as Record<string, unknown>)
    : Object.create(Object.getPrototypeOf(node));
  const keys: string[] = [];
  for (const [key, value] of Object.entries(node)) {
    // a memo or a header may have a field of any name
    if (key === '__proto__') Object.defineProperty(copy, key, { enumerable: true, writable: true, configurable: true });
    if (isLeaf(value) || key === 'searchAttributes') copy[key] = value;
    else if (isPayload(value)) {
      copy[key] = value;
      keys.push(key);
    } else copy[key] = copyAndCollect(value, groups);
  }
  if (keys.length > 0) groups.push({ holder: copy, keys });
  return copy;
}
