/** The value of a search attribute: JSON in a payload, of one of seven types. */
import { enums, type Payload } from '../api.js';

const T = enums.IndexedValueType;

/** What decodeSearchValue answers for a payload that does not hold a value of that type. */
export const UNDECODABLE = Symbol('undecodable');

/** A value, null when the attribute is to be unset (null, an empty list, binary/null). */
export type SearchValue = string | number | boolean | string[] | null | typeof UNDECODABLE;

const NAMES = new Map<number, string>([
  [T.INDEXED_VALUE_TYPE_TEXT, 'Text'],
  [T.INDEXED_VALUE_TYPE_KEYWORD, 'Keyword'],
  [T.INDEXED_VALUE_TYPE_INT, 'Int'],
  [T.INDEXED_VALUE_TYPE_DOUBLE, 'Double'],
  [T.INDEXED_VALUE_TYPE_BOOL, 'Bool'],
  [T.INDEXED_VALUE_TYPE_DATETIME, 'Datetime'],
  [T.INDEXED_VALUE_TYPE_KEYWORD_LIST, 'KeywordList'],
]);

/** The type as people write it: `Keyword`, `Int` … */
export const typeName = (type: number): string => NAMES.get(type) ?? 'Unspecified';

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

const isString = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0');

function scalar(value: unknown, type: number): SearchValue {
  switch (type) {
    case T.INDEXED_VALUE_TYPE_TEXT:
    case T.INDEXED_VALUE_TYPE_KEYWORD:
      return isString(value) ? value : UNDECODABLE;
    case T.INDEXED_VALUE_TYPE_INT:
      return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 63 ? value : UNDECODABLE;
    case T.INDEXED_VALUE_TYPE_DOUBLE:
      return typeof value === 'number' && Number.isFinite(value) ? value : UNDECODABLE;
    case T.INDEXED_VALUE_TYPE_BOOL:
      return typeof value === 'boolean' ? value : UNDECODABLE;
    case T.INDEXED_VALUE_TYPE_DATETIME:
      return typeof value === 'string' && RFC3339.test(value) && !Number.isNaN(Date.parse(value)) ? value : UNDECODABLE;
    default:
      return UNDECODABLE;
  }
}

const encodingOf = (payload: Payload): string => {
  const bytes = payload.metadata?.encoding;
  return bytes ? new TextDecoder().decode(bytes) : '';
};

function parse(payload: Payload): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload.data ?? new Uint8Array()));
  } catch {
    return UNDECODABLE;
  }
}

/** Reads the payload as that type. A list of one stands for its element. */
export function decodeSearchValue(payload: Payload, type: number): SearchValue {
  const encoding = encodingOf(payload);
  if (encoding === 'binary/null') return null;
  if (encoding !== 'json/plain') return UNDECODABLE;
  const value = parse(payload);
  if (value === null || (Array.isArray(value) && value.length === 0)) return null;
  if (type === T.INDEXED_VALUE_TYPE_KEYWORD_LIST) {
    return Array.isArray(value) && value.every(isString) ? value : UNDECODABLE;
  }
  if (!Array.isArray(value)) return scalar(value, type);
  return value.length === 1 ? scalar(value[0], type) : UNDECODABLE;
}
