/** A run's search attributes as one JSON object for the index: times as milliseconds, everything else as it is. */
import { api, enums, type Payload } from '../api.js';
import { PREDEFINED_ATTRIBUTES } from '../search-attribute-names.js';
import { decodeSearchValue, UNDECODABLE } from '../validate/search-value.js';

const T = enums.IndexedValueType;
const TYPES = new Map<string, number>([
  ['Text', T.INDEXED_VALUE_TYPE_TEXT],
  ['Keyword', T.INDEXED_VALUE_TYPE_KEYWORD],
  ['Int', T.INDEXED_VALUE_TYPE_INT],
  ['Double', T.INDEXED_VALUE_TYPE_DOUBLE],
  ['Bool', T.INDEXED_VALUE_TYPE_BOOL],
  ['Datetime', T.INDEXED_VALUE_TYPE_DATETIME],
  ['KeywordList', T.INDEXED_VALUE_TYPE_KEYWORD_LIST],
]);

const statedType = (payload: Payload): number | undefined => {
  const type = payload.metadata?.type;
  return type ? TYPES.get(new TextDecoder().decode(type)) : undefined;
};

/** Undefined when there is nothing to index. `types` are the namespace's own attributes, which win over what a payload says of itself. */
export function indexedValues(
  searchAttributes: Uint8Array | null,
  types: Readonly<Record<string, number>>,
): Record<string, unknown> | undefined {
  if (!searchAttributes) return undefined;
  const values: [string, unknown][] = [];
  for (const [name, payload] of Object.entries(api.common.v1.SearchAttributes.decode(searchAttributes).indexedFields)) {
    const type = (Object.hasOwn(types, name) ? types[name] : undefined) ?? PREDEFINED_ATTRIBUTES.get(name) ?? statedType(payload);
    const value = type === undefined ? UNDECODABLE : decodeSearchValue(payload, type);
    if (value === UNDECODABLE || value === null) continue;
    values.push([name, type === T.INDEXED_VALUE_TYPE_DATETIME ? Date.parse(value as string) : value]);
  }
  return values.length > 0 ? Object.fromEntries(values) : undefined;
}
