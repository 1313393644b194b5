/** Search attributes with types: keys that say what they hold, and immutable sets of them. */
import { enumNames } from '../definitions/enum-names.js';

/** @deprecated Use {@link TypedSearchAttributes}. */
export type SearchAttributeValue = string[] | number[] | boolean[] | Date[];
/** @deprecated Use {@link TypedSearchAttributes}. */
export type SearchAttributeValueOrReadonly = SearchAttributeValue | Readonly<SearchAttributeValue> | undefined;
/** @deprecated Use {@link TypedSearchAttributes}. */
export type SearchAttributes = Record<string, SearchAttributeValueOrReadonly>;

/** The types a search attribute can have. */
export const SearchAttributeType = {
  TEXT: 'TEXT',
  KEYWORD: 'KEYWORD',
  INT: 'INT',
  DOUBLE: 'DOUBLE',
  BOOL: 'BOOL',
  DATETIME: 'DATETIME',
  KEYWORD_LIST: 'KEYWORD_LIST',
} as const;
export type SearchAttributeType = (typeof SearchAttributeType)[keyof typeof SearchAttributeType];
/** Search attribute indexed value type: the API's number for a name, and the name for a number. */
export const [encodeSearchAttributeIndexedValueType, decodeSearchAttributeIndexedValueType] = enumNames(
  { TEXT: 1, KEYWORD: 2, INT: 3, DOUBLE: 4, BOOL: 5, DATETIME: 6, KEYWORD_LIST: 7 },
  'INDEXED_VALUE_TYPE_',
);

interface IndexedValueTypeMapping {
  TEXT: string;
  KEYWORD: string;
  INT: number;
  DOUBLE: number;
  BOOL: boolean;
  DATETIME: Date;
  KEYWORD_LIST: string[];
}

/** Whether `value` can be the value of a search attribute of that type. */
export function isValidValueForType<T extends SearchAttributeType>(type: T, value: unknown): value is IndexedValueTypeMapping[T] {
  switch (type) {
    case 'TEXT':
    case 'KEYWORD':
      return typeof value === 'string';
    case 'INT':
      return Number.isInteger(value);
    case 'DOUBLE':
      return typeof value === 'number';
    case 'BOOL':
      return typeof value === 'boolean';
    case 'DATETIME':
      return value instanceof Date;
    case 'KEYWORD_LIST':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    default:
      return false;
  }
}

/** Name and type of a search attribute. */
export interface SearchAttributeKey<T extends SearchAttributeType> {
  /** As the namespace has it. */
  name: string;
  /** As the namespace has it: the server refuses values of another type. */
  type: T;
}

/**
 * Defines the key of a search attribute.
 * @example
 * const orderTotal = defineSearchAttributeKey('OrderTotal', 'DOUBLE');
 */
export function defineSearchAttributeKey<T extends SearchAttributeType>(name: string, type: T): SearchAttributeKey<T> {
  return { name, type };
}

/** A key and its value. */
export type SearchAttributePair = {
  [T in SearchAttributeType]: { key: SearchAttributeKey<T>; value: IndexedValueTypeMapping[T] };
}[SearchAttributeType];

/** A key and its new value; null removes it. */
export type SearchAttributeUpdatePair = {
  [T in SearchAttributeType]: { key: SearchAttributeKey<T>; value: IndexedValueTypeMapping[T] | null };
}[SearchAttributeType];

type AnyKey = SearchAttributeKey<SearchAttributeType>;
type AnyValue = IndexedValueTypeMapping[SearchAttributeType];

const METADATA_TYPES: Record<SearchAttributeType, string> = {
  TEXT: 'Text',
  KEYWORD: 'Keyword',
  INT: 'Int',
  DOUBLE: 'Double',
  BOOL: 'Bool',
  DATETIME: 'Datetime',
  KEYWORD_LIST: 'KeywordList',
};
const TYPES_BY_METADATA = new Map(Object.entries(METADATA_TYPES).map(([type, text]) => [text, type as SearchAttributeType]));

/** Dates and lists are copied, so that nobody changes a set from outside. */
function copyOf(value: AnyValue): AnyValue {
  if (Array.isArray(value)) return [...value];
  return value instanceof Date ? new Date(value) : value;
}

/** A set of search attributes, at most one value a name. */
export class TypedSearchAttributes {
  private readonly values = new Map<string, { key: AnyKey; value: AnyValue }>();

  /** @throws Error when a name appears twice or a value does not fit its type. */
  constructor(initialAttributes: SearchAttributePair[] = []) {
    for (const pair of initialAttributes) {
      if (this.values.has(pair.key.name)) throw new Error(`Duplicate search attribute key: ${pair.key.name}`);
      this.set(pair);
    }
  }

  /** The value of `key`, or undefined if it is absent or of another type. */
  get<T extends SearchAttributeType>(key: SearchAttributeKey<T>): IndexedValueTypeMapping[T] | undefined {
    const found = this.values.get(key.name);
    return found?.key.type === key.type ? (copyOf(found.value) as IndexedValueTypeMapping[T]) : undefined;
  }

  /** A deep copy. */
  copy(): TypedSearchAttributes {
    return new TypedSearchAttributes(this.getAll());
  }

  /** A copy with `updates` applied. */
  updateCopy(updates: SearchAttributeUpdatePair[]): TypedSearchAttributes {
    const copy = this.copy();
    for (const update of updates) {
      if (update.value === null) copy.values.delete(update.key.name);
      else copy.set(update as SearchAttributePair);
    }
    return copy;
  }

  /** All pairs. */
  getAll(): SearchAttributePair[] {
    return [...this.values.values()].map(({ key, value }) => ({ key, value: copyOf(value) }) as SearchAttributePair);
  }

  /** The pairs, so that JSON of a set can be read by people. */
  toJSON(): SearchAttributePair[] {
    return this.getAll();
  }

  private set(pair: SearchAttributePair): void {
    const { key, value } = pair;
    if (!isValidValueForType(key.type, value)) {
      throw new Error(`Invalid value for search attribute '${key.name}': expected ${key.type}, got ${JSON.stringify(value)}`);
    }
    this.values.set(key.name, { key, value: copyOf(value) });
  }

  /** The key that an untyped attribute has, judged by its first value; undefined when it has none. */
  static getKeyFromUntyped(key: string, value: SearchAttributeValueOrReadonly): AnyKey | undefined {
    const first = value?.[0];
    if (first === undefined) return undefined;
    if (typeof first === 'string') return { name: key, type: value!.length > 1 ? 'KEYWORD_LIST' : 'KEYWORD' };
    if (value!.length > 1) return undefined;
    if (typeof first === 'number') return { name: key, type: Number.isInteger(first) ? 'INT' : 'DOUBLE' };
    if (typeof first === 'boolean') return { name: key, type: 'BOOL' };
    return first instanceof Date ? { name: key, type: 'DATETIME' } : undefined;
  }

  /** The word for a type in payload metadata, for example `KeywordList`. */
  static toMetadataType(type: SearchAttributeType): string {
    return METADATA_TYPES[type];
  }

  /** The type of a word in payload metadata. */
  static toSearchAttributeType(type: string): SearchAttributeType | undefined {
    return TYPES_BY_METADATA.get(type);
  }
}
