// Payload converters: between JavaScript values and payloads. They also run inside the workflow sandbox, so they are
// synchronous and use nothing of Node.
import type { Payload } from '../definitions/api.js';
import { PayloadConverterError, ValueError } from '../definitions/errors.js';
import type { ConverterHint, TypeInfo } from '../definitions/type-info.js';
import { decode, encodingKeys, encodingTypes, encode, METADATA_ENCODING_KEY } from './encoding.js';
import type { SerializationContext } from './serialization-context.js';

/** Converts values to payloads and back. Runs in the workflow sandbox too; use a codec for what must be asynchronous. */
export interface PayloadConverter {
  /** Converts a value; throws a {@link ValueError} when it cannot. */
  toPayload<T>(value: T, context?: SerializationContext, hint?: ConverterHint<T>): Payload;
  /** Converts a payload back to a value. */
  fromPayload<T>(payload: Payload, context?: SerializationContext, hint?: ConverterHint<T>): T;
  /** Whether this converter understands the hint. */
  validateConverterHint?: (hint: ConverterHint) => boolean;
}

/** A converter for one encoding, to be combined by {@link CompositePayloadConverter}. */
export interface PayloadConverterWithEncoding {
  /** The `encoding` of the payloads it makes and reads. */
  readonly encodingType: string;
  /** Converts a value, or returns `undefined` when this encoding cannot carry it. */
  toPayload<T>(value: T, context?: SerializationContext, hint?: ConverterHint<T>): Payload | undefined;
  /** The value that a payload holds. */
  fromPayload<T>(payload: Payload, context?: SerializationContext, hint?: ConverterHint<T>): T;
  /** Whether this converter understands the hint. Without it, values that have a hint pass it by. */
  validateConverterHint?: (hint: ConverterHint) => boolean;
}

declare const rawPayloadTypeBrand: unique symbol;

/** A value that is already a payload. Converters pass it through; codecs still apply. */
export class RawValue<T = unknown> {
  declare private readonly [rawPayloadTypeBrand]: T;
  readonly #payload: Payload;

  constructor(value: T, payloadConverter: PayloadConverter = defaultPayloadConverter, context?: SerializationContext) {
    this.#payload = payloadConverter.toPayload(value, context);
  }

  /** Wraps a payload as it is. */
  static fromPayload(payload: Payload): RawValue {
    return new RawValue<unknown>(payload, passThrough);
  }

  /** As it travels, before codecs. */
  get payload(): Payload {
    return this.#payload;
  }
}

const passThrough: PayloadConverter = {
  toPayload: (value) => value as Payload,
  fromPayload: <T>(payload: Payload) => payload as T,
};

const rawValueMark = Symbol.for('perdure.rawValueTypeInfo');

/** Type information that keeps a value as a {@link RawValue} in both directions. */
export const rawValueTypeInfo: TypeInfo<RawValue> = { [rawValueMark]: true } as TypeInfo<RawValue>;

function isRawValueTypeInfo(typeInfo: object | undefined): boolean {
  return typeInfo !== undefined && (typeInfo as Record<symbol, unknown>)[rawValueMark] === true;
}

/** Tries several converters in order; reads a payload with the one whose encoding it names. */
export class CompositePayloadConverter implements PayloadConverter {
  /** In the order in which they are tried. */
  readonly converters: PayloadConverterWithEncoding[];
  readonly #converterByEncoding: Map<string, PayloadConverterWithEncoding> = new Map();

  constructor(...converters: PayloadConverterWithEncoding[]) {
    if (converters.length === 0) throw new PayloadConverterError('Expected at least one PayloadConverterWithEncoding, got none');
    this.converters = converters;
    for (const converter of converters) this.#converterByEncoding.set(converter.encodingType, converter);
  }

  /** The value as a payload; `undefined` when this converter does not convert it. */
  toPayload<T>(value: T, context?: SerializationContext, hint?: ConverterHint<T>): Payload {
    if (value instanceof RawValue) return value.payload;
    for (const converter of this.converters) {
      if (hint !== undefined && !converter.validateConverterHint?.(hint)) continue;
      const payload = converter.toPayload(value, context, hint);
      if (payload !== undefined) return payload;
    }
    if (hint !== undefined) throw new ValueError(`No payload converter supports the converter hint '${hint.converter}'`);
    throw new ValueError(`Unable to convert ${describe(value)} to a payload`);
  }

  /** The value that a payload holds. */
  fromPayload<T>(payload: Payload, context?: SerializationContext, hint?: ConverterHint<T>): T {
    if (payload.metadata === undefined || payload.metadata === null) throw new ValueError('Expected payload metadata, got none');
    const encoding = decode(payload.metadata[METADATA_ENCODING_KEY]);
    const converter = this.#converterByEncoding.get(encoding);
    if (converter === undefined) {
      throw new ValueError(
        `Unknown payload encoding: expected one of ${[...this.#converterByEncoding.keys()].join(', ')}, got '${encoding}'`,
      );
    }
    if (hint !== undefined && !converter.validateConverterHint?.(hint)) {
      throw new PayloadConverterError(`Payload encoding '${encoding}' does not support the converter hint '${hint.converter}'`);
    }
    return converter.fromPayload<T>(payload, context, hint);
  }
}

/** What a value is and why it cannot become JSON: `an object of class Map`, `a bigint (Do not know how to serialize a BigInt)`. */
function describe(value: unknown): string {
  const type = typeof value;
  const what = type === 'object' ? `an object of class ${Object.prototype.toString.call(value).slice('[object '.length, -1)}` : `a ${type}`;
  try {
    JSON.stringify(value);
    return what;
  } catch (error) {
    return `${what} (${(error as Error).message.split('\n')[0]})`;
  }
}

/** `undefined` as an empty payload. */
export class UndefinedPayloadConverter implements PayloadConverterWithEncoding {
  readonly encodingType: string = encodingTypes.METADATA_ENCODING_NULL;

  /** The value as a payload; `undefined` when this converter does not convert it. */
  toPayload(value: unknown): Payload | undefined {
    return value === undefined ? { metadata: { [METADATA_ENCODING_KEY]: encodingKeys.METADATA_ENCODING_NULL } } : undefined;
  }

  /** The value that a payload holds. */
  fromPayload<T>(_payload: Payload): T {
    return undefined as T;
  }
}

/** A `Uint8Array` as it is. */
export class BinaryPayloadConverter implements PayloadConverterWithEncoding {
  readonly encodingType: string = encodingTypes.METADATA_ENCODING_RAW;

  /** The value as a payload; `undefined` when this converter does not convert it. */
  toPayload(value: unknown): Payload | undefined {
    if (!(value instanceof Uint8Array)) return undefined;
    return { metadata: { [METADATA_ENCODING_KEY]: encodingKeys.METADATA_ENCODING_RAW }, data: value };
  }

  /** The value that a payload holds. */
  fromPayload<T>(payload: Payload): T {
    // A copy, made by this realm's class: `instanceof` holds, and nothing outside shares the bytes.
    return new Uint8Array(payload.data ?? []) as T;
  }
}

/** Anything that `JSON.stringify` takes. */
export class JsonPayloadConverter implements PayloadConverterWithEncoding {
  readonly encodingType: string = encodingTypes.METADATA_ENCODING_JSON;

  /** The value as a payload; `undefined` when this converter does not convert it. */
  toPayload(value: unknown): Payload | undefined {
    if (value === undefined) return undefined;
    let json: string | undefined;
    try {
      json = JSON.stringify(value);
    } catch {
      return undefined;
    }
    if (json === undefined) return undefined;
    return { metadata: { [METADATA_ENCODING_KEY]: encodingKeys.METADATA_ENCODING_JSON }, data: encode(json) };
  }

  /** The value that a payload holds. */
  fromPayload<T>(payload: Payload): T {
    if (payload.data === undefined || payload.data === null) throw new ValueError('Expected a json/plain payload to have data, got none');
    return JSON.parse(decode(payload.data)) as T;
  }
}

/** `undefined`, bytes and JSON, tried in this order as by every SDK of the open API. */
export class DefaultPayloadConverter extends CompositePayloadConverter {
  constructor() {
    super(new UndefinedPayloadConverter(), new BinaryPayloadConverter(), new JsonPayloadConverter());
  }
}

/** The converter used when none is given. For protobuf messages use `DefaultPayloadConverterWithProtobufs`. */
export const defaultPayloadConverter: DefaultPayloadConverter = new DefaultPayloadConverter();

/** Converts one value, applying type information. */
export function toPayloadWithTypeInfo(
  converter: PayloadConverter,
  value: unknown,
  context: SerializationContext | undefined,
  typeInfo: TypeInfo | undefined,
): Payload {
  if (isRawValueTypeInfo(typeInfo)) {
    if (!(value instanceof RawValue)) throw new ValueError(`Expected a RawValue, as its type information says, got ${describe(value)}`);
    return value.payload;
  }
  const transfer = typeInfo?.transferTypeConverter ? typeInfo.transferTypeConverter.toTransferType(value) : value;
  return converter.toPayload(transfer, context, typeInfo?.payloadConverterHint);
}

/** Reads one payload, applying type information. */
export function fromPayloadWithTypeInfo<T>(
  converter: PayloadConverter,
  payload: Payload,
  context: SerializationContext | undefined,
  typeInfo: TypeInfo<T> | undefined,
): T {
  if (isRawValueTypeInfo(typeInfo)) return RawValue.fromPayload(payload) as T;
  const transfer = converter.fromPayload<T>(payload, context, typeInfo?.payloadConverterHint);
  return typeInfo?.transferTypeConverter ? typeInfo.transferTypeConverter.fromTransferType(transfer) : transfer;
}

/** Converts a list of values; an empty list is `undefined`. */
export function toPayloads(converter: PayloadConverter, ...values: unknown[]): Payload[] | undefined {
  return toPayloadsWithContext(converter, undefined, values);
}

/** Converts a list of values for a known owner, each with its type information. */
export function toPayloadsWithContext(
  converter: PayloadConverter,
  context: SerializationContext | undefined,
  values: readonly unknown[],
  typeInfo?: readonly TypeInfo[],
): Payload[] | undefined {
  if (values.length === 0) return undefined;
  return values.map((value, index) => toPayloadWithTypeInfo(converter, value, context, typeInfo?.[index]));
}

/** Converts a value unless it is null or undefined. */
export function convertOptionalToPayload(
  converter: PayloadConverter,
  value: unknown,
  context?: SerializationContext,
): Payload | null | undefined {
  return value === null || value === undefined ? value : converter.toPayload(value, context);
}

/** Converts each value of a map. */
export function mapToPayloads<K extends string>(
  converter: PayloadConverter,
  map: Record<K, unknown>,
  context?: SerializationContext,
): Record<K, Payload> {
  return Object.fromEntries((Object.keys(map) as K[]).map((key) => [key, converter.toPayload(map[key], context)])) as Record<K, Payload>;
}

/** Reads the value at an index; `undefined` when there are fewer, so that arguments can be added later. */
export function fromPayloadsAtIndex<T>(
  converter: PayloadConverter,
  index: number,
  payloads?: Payload[] | null,
  context?: SerializationContext,
  typeInfo?: TypeInfo<T>,
): T {
  const payload = payloads?.[index];
  return payload ? fromPayloadWithTypeInfo(converter, payload, context, typeInfo) : (undefined as T);
}

/** Reads a list of payloads. */
export function arrayFromPayloads(
  converter: PayloadConverter,
  payloads?: Payload[] | null,
  context?: SerializationContext,
  typeInfo?: readonly TypeInfo[],
): unknown[] {
  return payloads ? payloads.map((payload, index) => fromPayloadWithTypeInfo(converter, payload, context, typeInfo?.[index])) : [];
}

/** Reads each payload of a map. */
export function mapFromPayloads<K extends string, T = unknown>(
  converter: PayloadConverter,
  map?: Record<K, Payload> | null,
  context?: SerializationContext,
): Record<K, T> | undefined {
  if (map === null || map === undefined) return undefined;
  const values = {} as Record<K, T>;
  for (const key of Object.keys(map) as K[]) values[key] = converter.fromPayload<T>(map[key], context);
  return values;
}
