/** Search attributes as callers set them: defined, of their type, and within the limits. */
import { enums, type Payload, type temporal } from '../api.js';
import { PREDEFINED_ATTRIBUTES, SETTABLE_PREDEFINED, SYSTEM_ATTRIBUTES } from '../search-attribute-names.js';
import { SEARCH_ATTRIBUTE_KEYS_MAX, SEARCH_ATTRIBUTE_VALUE_MAX, SEARCH_ATTRIBUTES_SIZE_MAX } from './limits.js';
import { searchAttributesExceed, searchAttributesSize } from './payload-size.js';
import type { Problem } from './problem.js';
import { decodeSearchValue, UNDECODABLE, typeName } from './search-value.js';
import { exceeds, nulProblem } from './text-length.js';

export type SearchAttributes = temporal.api.common.v1.ISearchAttributes;

/** The custom search attributes of a namespace: name to temporal.api.enums.v1.IndexedValueType. */
export interface CustomSearchAttributes {
  readonly namespace: string;
  readonly types: ReadonlyMap<string, number>;
}

/** A name that the namespace does not know; found before anything else is looked at. */
export function unknownAttributeProblem(
  attributes: SearchAttributes | null | undefined,
  { namespace, types }: CustomSearchAttributes,
): Problem {
  for (const name of Object.keys(attributes?.indexedFields ?? {})) {
    if (!types.has(name) && !SYSTEM_ATTRIBUTES.has(name) && !PREDEFINED_ATTRIBUTES.has(name)) {
      return `Namespace ${namespace} has no mapping defined for search attribute ${name}`;
    }
  }
  return undefined;
}

function valueProblem(name: string, payload: Payload, type: number): Problem {
  const value = decodeSearchValue(payload, type);
  if (value !== UNDECODABLE) return undefined;
  return `invalid value for search attribute ${name} of type ${typeName(type)}: ${readable(payload)}`;
}

function readable(payload: Payload): string {
  const text = new TextDecoder().decode(payload.data ?? new Uint8Array());
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : JSON.stringify(value);
  } catch {
    return text;
  }
}

/** Values against their types; assumes that every name is known. */
export function attributeValuesProblem(attributes: SearchAttributes | null | undefined, { types }: CustomSearchAttributes): Problem {
  const entries = Object.entries(attributes?.indexedFields ?? {});
  if (entries.length > SEARCH_ATTRIBUTE_KEYS_MAX)
    return `number of search attributes ${entries.length} exceeds limit ${SEARCH_ATTRIBUTE_KEYS_MAX}`;
  for (const [name, payload] of entries) {
    const predefined = PREDEFINED_ATTRIBUTES.get(name);
    if (SYSTEM_ATTRIBUTES.has(name) || (predefined && !SETTABLE_PREDEFINED.has(name)))
      return `${name} attribute can't be set in SearchAttributes`;
    const problem = valueProblem(name, payload, predefined ?? types.get(name) ?? enums.IndexedValueType.INDEXED_VALUE_TYPE_UNSPECIFIED);
    if (problem) return problem;
  }
  return undefined;
}

/** Sizes of each value and of all together, for what a run would have in the end. */
export function attributeSizesProblem(attributes: SearchAttributes | null | undefined): Problem {
  for (const [name, payload] of Object.entries(attributes?.indexedFields ?? {})) {
    const size = payload.data?.length ?? 0;
    if (size > SEARCH_ATTRIBUTE_VALUE_MAX)
      return `search attribute ${name} value size ${size} exceeds size limit ${SEARCH_ATTRIBUTE_VALUE_MAX}`;
  }
  if (!attributes || !searchAttributesExceed(attributes, SEARCH_ATTRIBUTES_SIZE_MAX)) return undefined;
  return `total size of search attributes ${searchAttributesSize(attributes)} exceeds size limit ${SEARCH_ATTRIBUTES_SIZE_MAX}`;
}

export function searchAttributesProblem(attributes: SearchAttributes | null | undefined, custom: CustomSearchAttributes): Problem {
  return unknownAttributeProblem(attributes, custom) ?? attributeValuesProblem(attributes, custom) ?? attributeSizesProblem(attributes);
}

const NAME_LENGTH_MAX = 255;

/** A name that a custom search attribute cannot have, apart from those that are reserved. */
export function attributeNameProblem(name: string): Problem {
  if (name === '__proto__') return `Search attribute ${name} is reserved by system.`;
  if (exceeds(name, NAME_LENGTH_MAX)) return `Search attribute name is longer than ${NAME_LENGTH_MAX} bytes.`;
  return nulProblem('Search attribute name', name);
}
