// Payload converters for protobufjs messages: binary/protobuf and json/protobuf. Kept apart so that only users of
// protobuf payloads pay for protobufjs in their workflow bundle.
import * as protojson from 'protobufjs/ext/protojson.js';
import type { Message, Root, Type } from 'protobufjs';
import type { Payload } from '../definitions/api.js';
import { decode, encode, encodingTypes, METADATA_ENCODING_KEY, METADATA_MESSAGE_TYPE_KEY } from './encoding.js';
import { PayloadConverterError, ValueError } from '../definitions/errors.js';
import {
  BinaryPayloadConverter,
  CompositePayloadConverter,
  JsonPayloadConverter,
  type PayloadConverterWithEncoding,
  UndefinedPayloadConverter,
} from './payload-converter.js';

type TypedMessage = Message & { $type: Type };

function isRoot(value: unknown): value is Root {
  return typeof value === 'object' && value !== null && (value.constructor as { className?: string }).className === 'Root';
}

function messageOf(value: unknown): TypedMessage | undefined {
  if (typeof value !== 'object' || value === null || !('$type' in value)) return undefined;
  const type = (value as TypedMessage).$type as Type | undefined;
  return typeof type?.encode === 'function' && typeof type.decode === 'function' ? (value as TypedMessage) : undefined;
}

abstract class ProtobufPayloadConverter implements PayloadConverterWithEncoding {
  abstract readonly encodingType: string;
  abstract toPayload(value: unknown): Payload | undefined;
  abstract fromPayload<T>(payload: Payload): T;
  protected readonly root: Root | undefined;

  /** @param root the protobufjs root that holds the message types; needed to read, not to write */
  constructor(root?: unknown) {
    if (root === undefined || root === null) return;
    if (!isRoot(root)) throw new TypeError('Expected root to be a protobufjs Root');
    this.root = root;
  }

  protected typeAndData(payload: Payload): { type: Type; data: Uint8Array } {
    if (!payload.data) throw new ValueError('Expected a protobuf payload to have data, got none');
    const name = decode(payload.metadata?.[METADATA_MESSAGE_TYPE_KEY]);
    if (!name) throw new ValueError(`Expected a protobuf payload to have metadata.${METADATA_MESSAGE_TYPE_KEY}`);
    if (!this.root) throw new PayloadConverterError('Unable to read a protobuf message: no protobufjs root was given');
    const found = this.root.lookup(name);
    if (!found || !('decode' in found))
      throw new PayloadConverterError(`Unable to read a protobuf message: the root has no type '${name}'`);
    return { type: found as Type, data: new Uint8Array(payload.data) };
  }

  protected payloadOf(message: TypedMessage, data: Uint8Array): Payload {
    const name = message.$type.fullName.replace(/^\./, '');
    return { metadata: { [METADATA_ENCODING_KEY]: encode(this.encodingType), [METADATA_MESSAGE_TYPE_KEY]: encode(name) }, data };
  }
}

/** protobufjs messages as binary/protobuf. */
export class ProtobufBinaryPayloadConverter extends ProtobufPayloadConverter {
  readonly encodingType: string = encodingTypes.METADATA_ENCODING_PROTOBUF;

  toPayload(value: unknown): Payload | undefined {
    const message = messageOf(value);
    return message && this.payloadOf(message, message.$type.encode(message).finish());
  }

  fromPayload<T>(payload: Payload): T {
    const { type, data } = this.typeAndData(payload);
    return type.decode(data) as T;
  }
}

/** protobufjs messages as json/protobuf, the proto3 JSON form. */
export class ProtobufJsonPayloadConverter extends ProtobufPayloadConverter {
  readonly encodingType: string = encodingTypes.METADATA_ENCODING_PROTOBUF_JSON;

  toPayload(value: unknown): Payload | undefined {
    const message = messageOf(value);
    return message && this.payloadOf(message, encode(JSON.stringify(protojson.toJson(message.$type, message))));
  }

  fromPayload<T>(payload: Payload): T {
    const { type, data } = this.typeAndData(payload);
    const message = protojson.fromJson(type, JSON.parse(decode(data)), { ignoreUnknownFields: true });
    return buffersAsBytes(message) as T;
  }
}

/** protobufjs makes Buffers where Node is; users of a Uint8Array field expect the same class everywhere. */
function buffersAsBytes(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) return value.constructor.name === 'Buffer' ? new Uint8Array(value as Uint8Array) : value;
  const record = value as Record<string, unknown>;
  for (const key of Object.keys(record)) {
    const child = record[key];
    if (typeof child === 'object' && child !== null) record[key] = buffersAsBytes(child);
  }
  return value;
}

/** Options of {@link DefaultPayloadConverterWithProtobufs}. */
export interface DefaultPayloadConverterWithProtobufsOptions {
  /** The protobufjs root of your messages. */
  protobufRoot: Record<string, unknown>;
}

/** The default converter plus protobuf messages, in the order that other SDKs use. */
export class DefaultPayloadConverterWithProtobufs extends CompositePayloadConverter {
  constructor({ protobufRoot }: DefaultPayloadConverterWithProtobufsOptions) {
    super(
      new UndefinedPayloadConverter(),
      new BinaryPayloadConverter(),
      new ProtobufJsonPayloadConverter(protobufRoot),
      new ProtobufBinaryPayloadConverter(protobufRoot),
      new JsonPayloadConverter(),
    );
  }
}

/**
 * Makes the types of a root that `pbjs -t json-module` generated reachable by their names, as its generated declarations say:
 * `root.shop.Order.create(…)`. Names that protobufjs itself uses stay as they are; `root.lookupType()` finds those.
 *
 * @returns the root
 */
export function patchProtobufRoot<T extends Record<string, unknown>>(root: T): T {
  for (const [name, child] of Object.entries((root.nested ?? {}) as Record<string, Record<string, unknown>>)) {
    const { className } = child.constructor as { className?: string };
    if (className === 'Namespace') patchProtobufRoot(child);
    else if (className !== 'Type') continue;
    if (!(name in root)) Object.defineProperty(root, name, { value: child, enumerable: true, configurable: true, writable: true });
  }
  return root;
}
