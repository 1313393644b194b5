/**
 * JSON of state, written member by member: every transition writes a snapshot, and what is blank in it is passed by without a copy. The same text as
 * JSON.stringify would give, but for byte strings, which become {"$b": base64}.
 */

type Json = Record<string, unknown>;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Longer strings are left to JSON.stringify. */
const PLAIN_MAX = 100;

/** A string in quotes. Most are ids and names, in which nothing needs an escape. */
function quoted(value: string): string {
  if (value.length > PLAIN_MAX) return JSON.stringify(value);
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) return JSON.stringify(value);
  }
  return `"${value}"`;
}

export function jsonOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
      return Number.isFinite(value) ? `${value}` : 'null';
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      return value === null ? 'null' : jsonOfObject(value);
    default:
      return 'null';
  }
}

function jsonOfObject(value: object): string {
  if (value instanceof Uint8Array) return `{"$b":"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}"}`;
  let json = '';
  if (Array.isArray(value)) {
    for (const element of value) json += `,${jsonOf(element)}`;
    return `[${json.slice(1)}]`;
  }
  for (const key of Object.keys(value)) {
    const field = (value as Json)[key];
    if (field !== undefined) json += `,${quoted(key)}:${jsonOf(field)}`;
  }
  return objectOf(json);
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false;
  if (Array.isArray(value)) return value.length === 0;
  for (const _ in value) return false;
  return true;
}

/** One member, with a comma before it. The key is a name of ours. */
export const member = (key: string, value: unknown): string => `,"${key}":${jsonOf(value)}`;

/** An object of members that have a comma before each. */
export const objectOf = (json: string): string => `{${json.slice(1)}}`;

/** The members of a value that are not as in a blank one, but for those that are written elsewhere; a comma before each. */
export function members(value: object, blank: object, elsewhere: ReadonlySet<string>): string {
  let json = '';
  for (const key in value) {
    const field = (value as Json)[key];
    const usual = (blank as Json)[key];
    if (field === usual || field === undefined || elsewhere.has(key)) continue;
    if (isEmpty(field) && isEmpty(usual)) continue;
    json += member(key, field);
  }
  return json;
}
