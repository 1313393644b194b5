/** Search attributes as the API carries them: JSON payloads whose metadata names the type. */
import type { Payload } from '../definitions/api.js';
import { ValueError } from '../definitions/errors.js';
import type {
  SearchAttributePair,
  SearchAttributes,
  SearchAttributeType,
  SearchAttributeUpdatePair,
  SearchAttributeValue,
} from './search-attributes.js';
import { isValidValueForType, TypedSearchAttributes } from './search-attributes.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const JSON_PLAIN = encoder.encode('json/plain');

/** Type words that old servers wrote instead of today's. */
const INDEXED_VALUE_TYPE = /^INDEXED_VALUE_TYPE_(.+)$/;

function jsonPayload(value: unknown, type?: SearchAttributeType): Payload {
  const metadata: Record<string, Uint8Array> = { encoding: JSON_PLAIN };
  if (type) metadata.type = encoder.encode(TypedSearchAttributes.toMetadataType(type));
  return { metadata, data: encoder.encode(JSON.stringify(value)) };
}

function metadataType(payload: Payload): SearchAttributeType | undefined {
  const raw = payload.metadata?.type;
  if (!raw) return undefined;
  const word = decoder.decode(raw);
  return TypedSearchAttributes.toSearchAttributeType(word) ?? (INDEXED_VALUE_TYPE.exec(word)?.[1] as SearchAttributeType | undefined);
}

function parse(payload: Payload): unknown {
  return payload.data?.length ? JSON.parse(decoder.decode(payload.data)) : undefined;
}

/** One attribute or its removal -> payload. */
function encodeSearchAttribute(pair: SearchAttributeUpdatePair): Payload {
  if (pair.value !== null && !isValidValueForType(pair.key.type, pair.value)) {
    throw new ValueError(
      `Invalid value for search attribute '${pair.key.name}': expected ${pair.key.type}, got ${JSON.stringify(pair.value)}`,
    );
  }
  return jsonPayload(pair.value, pair.key.type);
}

/** Untyped and typed attributes -> payloads by name; the typed ones win. */
export function encodeUnifiedSearchAttributes(
  searchAttributes?: SearchAttributes,
  typed?: TypedSearchAttributes | SearchAttributeUpdatePair[],
): Record<string, Payload> {
  const fields: Record<string, Payload> = {};
  for (const [name, values] of Object.entries(searchAttributes ?? {})) {
    if (values === undefined) continue;
    if (!Array.isArray(values)) throw new ValueError(`Invalid search attribute '${name}': expected an array, got ${typeof values}`);
    const types = new Set(values.map((value) => (value instanceof Date ? 'Date' : typeof value)));
    if (types.size > 1)
      throw new ValueError(`Invalid search attribute '${name}': expected values of one type, got ${[...types].join(', ')}`);
    fields[name] = jsonPayload(values);
  }
  const pairs = typed instanceof TypedSearchAttributes ? typed.getAll() : (typed ?? []);
  const seen = new Set<string>();
  for (const pair of pairs) {
    if (seen.has(pair.key.name)) throw new ValueError(`Duplicate search attribute key: ${pair.key.name}`);
    seen.add(pair.key.name);
    fields[pair.key.name] = encodeSearchAttribute(pair);
  }
  return fields;
}

/** Payloads by name -> untyped attributes, each an array; dates become Date. */
export function decodeSearchAttributes(fields: Record<string, Payload> | undefined | null): SearchAttributes {
  const attributes: SearchAttributes = {};
  for (const [name, payload] of Object.entries(fields ?? {})) {
    const value = parse(payload);
    if (value === undefined || value === null) continue;
    const list = Array.isArray(value) ? value : [value];
    if (list.length === 0) continue;
    attributes[name] = (metadataType(payload) === 'DATETIME' ? list.map((item) => new Date(item as string)) : list) as SearchAttributeValue;
  }
  return attributes;
}

/** Payloads by name -> typed attributes. What has no known type, or a value that does not fit it, is left out. */
export function decodeTypedSearchAttributes(fields: Record<string, Payload> | undefined | null): TypedSearchAttributes {
  const pairs: SearchAttributePair[] = [];
  for (const [name, payload] of Object.entries(fields ?? {})) {
    const type = metadataType(payload);
    let value = parse(payload);
    if (!type || value === undefined || value === null) continue;
    // Servers may keep a scalar as a list of one.
    if (type !== 'KEYWORD_LIST' && Array.isArray(value) && value.length === 1) value = value[0];
    if (type === 'KEYWORD_LIST' && typeof value === 'string') value = [value];
    if (type === 'DATETIME' && typeof value === 'string') value = new Date(value);
    if (isValidValueForType(type, value)) pairs.push({ key: { name, type }, value } as SearchAttributePair);
  }
  return new TypedSearchAttributes(pairs);
}
