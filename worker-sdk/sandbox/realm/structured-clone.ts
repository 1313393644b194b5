/** structuredClone for values of this realm: what JSON loses it keeps, functions it refuses. */
import { define } from './state.js';

class CloneError extends Error {
  constructor(value: unknown) {
    super(`${typeof value === 'symbol' ? String(value) : Object.prototype.toString.call(value)} could not be cloned.`);
    Object.defineProperty(this, 'name', { value: 'DataCloneError', configurable: true, writable: true });
  }
}

type Seen = Map<object, unknown>;
type ArrayConstructor = new (buffer: ArrayBuffer, offset: number, length?: number) => ArrayBufferView;

export function clone(value: unknown, seen: Seen = new Map()): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw new CloneError(value);
  if (typeof value !== 'object' || value === null) return value;
  const known = seen.get(value);
  if (known !== undefined) return known;
  const leaf = cloneLeaf(value, seen);
  if (leaf !== undefined) {
    seen.set(value, leaf);
    return leaf;
  }
  return cloneContainer(value, seen);
}

function cloneLeaf(value: object, seen: Seen): object | undefined {
  if (value instanceof Date) return new Date(value.getTime());
  if (value instanceof RegExp) return new RegExp(value.source, value.flags);
  if (value instanceof ArrayBuffer) return value.slice(0);
  if (ArrayBuffer.isView(value)) {
    const buffer = clone(value.buffer, seen) as ArrayBuffer;
    const length = value instanceof DataView ? value.byteLength : (value as Uint8Array).length;
    return new (value.constructor as ArrayConstructor)(buffer, value.byteOffset, length);
  }
  if (value instanceof Boolean || value instanceof Number || value instanceof String) return Object(value.valueOf()) as object;
  if (value instanceof WeakMap || value instanceof WeakSet || value instanceof Promise) throw new CloneError(value);
  return undefined;
}

function cloneContainer(value: object, seen: Seen): unknown {
  if (value instanceof Map) {
    const copy = new Map();
    seen.set(value, copy);
    for (const [key, held] of value) copy.set(clone(key, seen), clone(held, seen));
    return copy;
  }
  if (value instanceof Set) {
    const copy = new Set();
    seen.set(value, copy);
    for (const held of value) copy.add(clone(held, seen));
    return copy;
  }
  const copy: object = Array.isArray(value) ? new Array(value.length) : value instanceof Error ? cloneError(value) : {};
  seen.set(value, copy);
  if (value instanceof Error && value.cause !== undefined) (copy as Error).cause = clone(value.cause, seen);
  if (value instanceof Error) return copy;
  for (const key of Object.keys(value)) (copy as Record<string, unknown>)[key] = clone((value as Record<string, unknown>)[key], seen);
  return copy;
}

const ERRORS: Record<string, ErrorConstructor> = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError } as never;

function cloneError(error: Error): Error {
  const copy = new (ERRORS[error.name] ?? Error)(error.message);
  Object.defineProperty(copy, 'stack', { value: error.stack, configurable: true, writable: true });
  return copy;
}

export function installStructuredClone(): void {
  define('structuredClone', (value: unknown) => clone(value));
}
