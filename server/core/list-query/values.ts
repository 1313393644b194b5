/** The values of a list query, as their attribute's type wants them. Times become milliseconds, statuses their numbers, durations milliseconds. */
import { enums } from '../api.js';
import { typeName } from '../validate/search-value.js';
import type { Attribute } from './check.js';
import type { Literal } from './parse.js';
import { badQuery } from './tokens.js';

export type QueryValue = string | number | boolean;

const T = enums.IndexedValueType;
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
const STATUS = enums.WorkflowExecutionStatus;
const STATUS_PREFIX = 'WORKFLOW_EXECUTION_STATUS_';
const UNIT_MS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const shown = (literal: Literal): string => (literal.kind === 'string' ? JSON.stringify(literal.value) : String(literal.value));
const kindName = (literal: Literal): string =>
  literal.kind === 'number' ? (/^[+-]?\d+$/.test(literal.value) ? 'int64' : 'float64') : literal.kind;

export function literalValue(literal: Literal, attribute: Attribute): QueryValue {
  if (attribute.name === 'ExecutionStatus') return status(literal);
  if (attribute.name === 'ExecutionDuration') return duration(literal);
  switch (attribute.type) {
    case T.INDEXED_VALUE_TYPE_INT:
    case T.INDEXED_VALUE_TYPE_DOUBLE:
      return literal.kind === 'number' ? Number(literal.value) : wrongType(literal, attribute);
    case T.INDEXED_VALUE_TYPE_BOOL:
      return literal.kind === 'bool' ? literal.value : wrongType(literal, attribute);
    case T.INDEXED_VALUE_TYPE_DATETIME:
      return time(literal, attribute);
    default:
      return literal.kind === 'string' ? literal.value : wrongType(literal, attribute);
  }
}

function wrongType(literal: Literal, { name, type }: Attribute): never {
  throw badQuery(
    `invalid expression: invalid value type for search attribute ${name} of type ${typeName(type)}: ${shown(literal)} (type: ${kindName(literal)})`,
  );
}

/** RFC 3339, or nanoseconds since the epoch. */
function time(literal: Literal, attribute: Attribute): number {
  if (literal.kind === 'number') return Number(literal.value) / 1e6;
  if (literal.kind !== 'string') return wrongType(literal, attribute);
  const ms = RFC3339.test(literal.value) ? Date.parse(literal.value) : Number.NaN;
  if (Number.isNaN(ms)) throw badQuery(`invalid expression: unable to parse datetime '${literal.value}'`);
  return ms;
}

function status(literal: Literal): number {
  const values = STATUS as unknown as Record<string, number | string | undefined>;
  if (literal.kind === 'number' && typeof values[literal.value] === 'string') return Number(literal.value);
  if (literal.kind === 'string') {
    const byName = values[literal.value] ?? (/^[A-Z]\w*$/.test(literal.value) ? values[STATUS_PREFIX + snake(literal.value)] : undefined);
    if (typeof byName === 'number') return byName;
  }
  throw badQuery(`invalid expression: invalid ExecutionStatus value '${literal.value}'`);
}

const snake = (name: string): string => name.replace(/(?<=[a-z])([A-Z])/g, '_$1').toUpperCase();

/** `1h30m`, `90s` or nanoseconds. */
function duration(literal: Literal): number {
  const text = String(literal.value);
  if (literal.kind === 'number' || /^\d+$/.test(text)) return Number(text) / 1e6;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/gy)];
  const clock = /^(\d+):([0-5]\d):([0-5]\d)$/.exec(text);
  if (clock) return (Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3])) * 1000;
  if (literal.kind !== 'string' || parts.length === 0 || parts.map((p) => p[0]).join('') !== text) {
    throw badQuery(`invalid expression: invalid duration value for search attribute ExecutionDuration: ${text}`);
  }
  return parts.reduce((ms, [, amount, unit]) => ms + Number(amount) * UNIT_MS[unit!]!, 0);
}
