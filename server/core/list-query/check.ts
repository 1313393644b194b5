/** A parsed list query with its names resolved and its values typed; whatever does not fit is one error that says what. */
import { enums } from '../api.js';
import { PREDEFINED_ATTRIBUTES, SYSTEM_ATTRIBUTES } from '../search-attribute-names.js';
import type { CustomSearchAttributes } from '../validate/search-attributes.js';
import { typeName } from '../validate/search-value.js';
import type { CompareOperator, Literal, ParsedQuery, QueryNode } from './parse.js';
import { badQuery } from './tokens.js';
import { literalValue, type QueryValue } from './values.js';

const T = enums.IndexedValueType;

/** A search attribute that a query names. */
export interface Attribute {
  name: string;
  /** temporal.api.enums.v1.IndexedValueType. */
  type: number;
  /** A fact of the run, with a column of its own. */
  system: boolean;
}

export type Filter =
  | { type: 'and' | 'or'; parts: Filter[] }
  | { type: 'not'; part: Filter }
  | { type: 'compare'; attribute: Attribute; operator: Exclude<CompareOperator, 'LIKE' | 'NOT LIKE'>; value: QueryValue }
  | { type: 'in'; attribute: Attribute; negated: boolean; values: QueryValue[] }
  | { type: 'between'; attribute: Attribute; negated: boolean; low: QueryValue; high: QueryValue }
  | { type: 'null'; attribute: Attribute; negated: boolean };

export interface CheckedQuery {
  filter: Filter | undefined;
  groupBy: Attribute | undefined;
}

const ORDERED = ['<', '<=', '>', '>='];

export function checkListQuery(query: ParsedQuery, custom: CustomSearchAttributes): CheckedQuery {
  if (query.groupBy.length > 1) throw badQuery("operation is not supported: 'GROUP BY' clause supports only a single field");
  const groupBy = query.groupBy[0] === undefined ? undefined : resolve(query.groupBy[0], custom);
  if (groupBy && groupBy.name !== 'ExecutionStatus') {
    throw badQuery(`operation is not supported: 'GROUP BY' clause is not supported for search attribute ${groupBy.name}`);
  }
  return { filter: query.where && check(query.where, custom), groupBy };
}

function resolve(name: string, custom: CustomSearchAttributes): Attribute {
  const system = SYSTEM_ATTRIBUTES.get(name);
  if (system !== undefined) return { name, type: system, system: true };
  const type = custom.types.get(name) ?? PREDEFINED_ATTRIBUTES.get(name);
  if (type === undefined) throw badQuery(`invalid search attribute: ${name}`);
  return { name, type, system: false };
}

function check(node: QueryNode, custom: CustomSearchAttributes): Filter {
  switch (node.type) {
    case 'and':
    case 'or':
      return { type: node.type, parts: node.parts.map((part) => check(part, custom)) };
    case 'not':
      return { type: 'not', part: check(node.part, custom) };
    case 'null':
      return { ...node, attribute: resolve(node.name, custom) };
    case 'in':
      return checkIn(node, resolve(node.name, custom));
    case 'between':
      return checkBetween(node, resolve(node.name, custom));
    case 'compare':
      return checkCompare(node.operator, node.value, resolve(node.name, custom));
  }
}

function refuseOperator(operator: string, attribute: Attribute): never {
  throw badQuery(
    `operation is not supported: operator '${operator}' not supported for ${typeName(attribute.type)} type search attribute '${attribute.name}'`,
  );
}

function checkCompare(operator: CompareOperator, value: Literal, attribute: Attribute): Filter {
  const { type } = attribute;
  const list = type === T.INDEXED_VALUE_TYPE_KEYWORD_LIST || type === T.INDEXED_VALUE_TYPE_TEXT;
  if (operator === 'LIKE' || operator === 'NOT LIKE') return refuseOperator(operator, attribute);
  if (operator.endsWith('STARTS_WITH') && type !== T.INDEXED_VALUE_TYPE_KEYWORD) return refuseOperator(operator, attribute);
  if (list && (ORDERED.includes(operator) || operator.endsWith('STARTS_WITH'))) return refuseOperator(operator, attribute);
  return { type: 'compare', attribute, operator, value: literalValue(value, attribute) };
}

function checkIn(node: Extract<QueryNode, { type: 'in' }>, attribute: Attribute): Filter {
  if (attribute.type === T.INDEXED_VALUE_TYPE_TEXT) return refuseOperator(node.negated ? 'NOT IN' : 'IN', attribute);
  return { type: 'in', attribute, negated: node.negated, values: node.values.map((value) => literalValue(value, attribute)) };
}

function checkBetween(node: Extract<QueryNode, { type: 'between' }>, attribute: Attribute): Filter {
  if (attribute.type === T.INDEXED_VALUE_TYPE_TEXT || attribute.type === T.INDEXED_VALUE_TYPE_KEYWORD_LIST)
    return refuseOperator('BETWEEN', attribute);
  return {
    type: 'between',
    attribute,
    negated: node.negated,
    low: literalValue(node.low, attribute),
    high: literalValue(node.high, attribute),
  };
}
