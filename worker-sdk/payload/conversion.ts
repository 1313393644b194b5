/** Values to payloads and back through converter and codecs, for everything outside of the workflow sandbox. */
import type { Payload, ProtoFailure, temporal } from '../definitions/api.js';
import type { TypeInfo } from '../definitions/type-info.js';
import { decodeMessage, decodeWithCodecs, encodeMessage, encodeWithCodecs } from './codec.js';
import type { LoadedDataConverter } from './data-converter.js';
import {
  arrayFromPayloads,
  fromPayloadWithTypeInfo,
  mapToPayloads,
  toPayloadsWithContext,
  toPayloadWithTypeInfo,
} from './payload-converter.js';
import type { SerializationContext } from './serialization-context.js';

type PayloadMap = Record<string, Payload>;

/** One value -> payload. */
export async function encodeToPayload(
  converter: LoadedDataConverter,
  value: unknown,
  context?: SerializationContext,
  typeInfo?: TypeInfo,
): Promise<Payload> {
  const payload = toPayloadWithTypeInfo(converter.payloadConverter, value, context, typeInfo);
  if (converter.payloadCodecs.length === 0) return payload;
  return (await encodeWithCodecs(converter.payloadCodecs, [payload], context))[0]!;
}

/** Arguments -> payloads; undefined for none. */
export async function encodeToPayloads(
  converter: LoadedDataConverter,
  values: readonly unknown[],
  context?: SerializationContext,
  typeInfo?: readonly TypeInfo[],
): Promise<Payload[] | undefined> {
  const payloads = toPayloadsWithContext(converter.payloadConverter, context, values, typeInfo);
  return payloads && converter.payloadCodecs.length > 0 ? encodeWithCodecs(converter.payloadCodecs, payloads, context) : payloads;
}

/** Values by name -> payloads by name. */
export async function encodeMapToPayloads(
  converter: LoadedDataConverter,
  map: Record<string, unknown>,
  context?: SerializationContext,
): Promise<PayloadMap> {
  const payloads = mapToPayloads(converter.payloadConverter, map, context);
  if (converter.payloadCodecs.length === 0) return payloads;
  const encoded = await encodeWithCodecs(converter.payloadCodecs, Object.values(payloads), context);
  return Object.fromEntries(Object.keys(payloads).map((key, i) => [key, encoded[i]!]));
}

/** Payloads -> values. */
export async function decodeArrayFromPayloads(
  converter: LoadedDataConverter,
  payloads?: Payload[] | null,
  context?: SerializationContext,
  typeInfo?: readonly TypeInfo[],
): Promise<unknown[]> {
  if (!payloads || payloads.length === 0) return [];
  const decoded = converter.payloadCodecs.length > 0 ? await decodeWithCodecs(converter.payloadCodecs, payloads, context) : payloads;
  return arrayFromPayloads(converter.payloadConverter, decoded, context, typeInfo);
}

/** The first payload -> its value; undefined when there is none. */
export async function decodeFirstPayload(
  converter: LoadedDataConverter,
  payloads?: Payload[] | null,
  context?: SerializationContext,
  typeInfo?: TypeInfo,
): Promise<unknown> {
  return decodeOptionalPayload(converter, payloads?.[0], context, typeInfo);
}

/** A payload -> its value; undefined when there is none. */
export async function decodeOptionalPayload(
  converter: LoadedDataConverter,
  payload?: Payload | null,
  context?: SerializationContext,
  typeInfo?: TypeInfo,
): Promise<unknown> {
  if (!payload) return undefined;
  const decoded = converter.payloadCodecs.length > 0 ? (await decodeWithCodecs(converter.payloadCodecs, [payload], context))[0]! : payload;
  return fromPayloadWithTypeInfo(converter.payloadConverter, decoded, context, typeInfo);
}

/** Payloads by name -> values by name; undefined when there are none. */
export async function decodeMapFromPayloads(
  converter: LoadedDataConverter,
  map?: PayloadMap | null,
  context?: SerializationContext,
): Promise<Record<string, unknown> | undefined> {
  if (!map) return undefined;
  const names = Object.keys(map);
  const values = await decodeArrayFromPayloads(converter, Object.values(map), context);
  return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}

/** An error -> failure. */
export async function encodeErrorToFailure(
  converter: LoadedDataConverter,
  error: unknown,
  context?: SerializationContext,
): Promise<ProtoFailure> {
  const failure = converter.failureConverter.errorToFailure(error, converter.payloadConverter, context);
  return encodeMessage(converter.payloadCodecs, failure, context);
}

/** A failure -> error; undefined when there is none. */
export async function decodeOptionalFailure(
  converter: LoadedDataConverter,
  failure?: ProtoFailure | null,
  context?: SerializationContext,
): Promise<Error | undefined> {
  if (!failure) return undefined;
  const decoded = await decodeMessage(converter.payloadCodecs, failure, context);
  return converter.failureConverter.failureToError(decoded, converter.payloadConverter, context);
}

/** Summary and details for people -> message; undefined when there are none. */
export async function encodeUserMetadata(
  converter: LoadedDataConverter,
  summary: string | undefined,
  details: string | undefined,
  context?: SerializationContext,
): Promise<temporal.api.sdk.v1.IUserMetadata | undefined> {
  if (summary === undefined && details === undefined) return undefined;
  return {
    summary: summary === undefined ? undefined : await encodeToPayload(converter, summary, context),
    details: details === undefined ? undefined : await encodeToPayload(converter, details, context),
  };
}
