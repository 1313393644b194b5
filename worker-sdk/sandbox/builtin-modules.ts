/** What becomes of Node's own modules in workflow code: a few have a stand-in of the sandbox, all others must not be used. */
import { builtinModules } from 'node:module';

const BUILTIN = new Set(builtinModules);

/** The module's name without `node:`, when it is one of Node's. */
export function builtinName(specifier: string): string | undefined {
  const name = specifier.startsWith('node:') ? specifier.slice('node:'.length) : specifier;
  return BUILTIN.has(name) || specifier.startsWith('node:') ? name : undefined;
}

/** Stand-ins, as source that uses only what the sandbox has. */
export const STAND_INS: Readonly<Record<string, string>> = {
  async_hooks: `
    export const AsyncLocalStorage = globalThis.AsyncLocalStorage;
    export class AsyncResource {
      constructor(type) { this.type = type; this.scope = AsyncLocalStorage.snapshot(); }
      runInAsyncScope(fn, self, ...args) { return this.scope(() => fn.apply(self, args)); }
      static bind(fn) { return AsyncLocalStorage.bind(fn); }
    }
    export default { AsyncLocalStorage, AsyncResource };`,
  url: `
    export const URL = globalThis.URL;
    export const URLSearchParams = globalThis.URLSearchParams;
    export const fileURLToPath = (url) => decodeURIComponent(new URL(url).pathname);
    export const pathToFileURL = (path) => new URL('file://' + encodeURI(path));
    export default { URL, URLSearchParams, fileURLToPath, pathToFileURL };`,
  assert: `
    export class AssertionError extends Error {
      constructor({ message, actual, expected, operator } = {}) {
        super(message ?? 'Assertion failed');
        Object.assign(this, { name: 'AssertionError', code: 'ERR_ASSERTION', actual, expected, operator });
      }
    }
    const raise = (message, actual, expected, operator) => {
      throw message instanceof Error ? message : new AssertionError({ message, actual, expected, operator });
    };
    const same = (a, b, strict) => {
      if (strict ? Object.is(a, b) : a == b || (a !== a && b !== b)) return true;
      if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
      if (strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
      if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
      if (a instanceof Map || a instanceof Set) return b.size === a.size && same([...a], [...b], strict);
      const keys = Object.keys(a);
      return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key], strict));
    };
    const text = (value) => { try { return JSON.stringify(value) ?? String(value); } catch { return String(value); } };
    export const ok = (value, message) => { if (!value) raise(message ?? 'The expression evaluated to a falsy value', value, true, '=='); };
    export const equal = (a, b, m) => { if (!(a == b)) raise(m ?? text(a) + ' == ' + text(b), a, b, '=='); };
    export const notEqual = (a, b, m) => { if (a == b) raise(m ?? text(a) + ' != ' + text(b), a, b, '!='); };
    export const strictEqual = (a, b, m) => { if (!Object.is(a, b)) raise(m ?? 'Expected ' + text(b) + ', got ' + text(a), a, b, 'strictEqual'); };
    export const notStrictEqual = (a, b, m) => { if (Object.is(a, b)) raise(m ?? 'Expected something else than ' + text(b), a, b, 'notStrictEqual'); };
    export const deepEqual = (a, b, m) => { if (!same(a, b, false)) raise(m ?? 'Expected ' + text(b) + ', got ' + text(a), a, b, 'deepEqual'); };
    export const deepStrictEqual = (a, b, m) => { if (!same(a, b, true)) raise(m ?? 'Expected ' + text(b) + ', got ' + text(a), a, b, 'deepStrictEqual'); };
    export const notDeepStrictEqual = (a, b, m) => { if (same(a, b, true)) raise(m ?? 'Expected something else than ' + text(b), a, b, 'notDeepStrictEqual'); };
    export const fail = (message) => raise(message ?? 'Failed', undefined, undefined, 'fail');
    export const throws = (fn, expected, message) => {
      try { fn(); } catch (error) {
        if (expected instanceof RegExp && !expected.test(String(error))) throw error;
        if (typeof expected === 'function' && expected.prototype !== undefined && !(error instanceof expected)) throw error;
        return;
      }
      raise(message ?? 'Missing expected exception', undefined, expected, 'throws');
    };
    export const rejects = async (promise, expected, message) => {
      try { await (typeof promise === 'function' ? promise() : promise); } catch (error) {
        return throws(() => { throw error; }, expected, message);
      }
      raise(message ?? 'Missing expected rejection', undefined, expected, 'rejects');
    };
    export const match = (value, pattern, m) => { if (!pattern.test(value)) raise(m ?? text(value) + ' does not match ' + pattern, value, pattern, 'match'); };
    export const assert = Object.assign((value, message) => ok(value, message), {
      AssertionError, ok, equal, notEqual, strictEqual, notStrictEqual, deepEqual, deepStrictEqual, notDeepStrictEqual, fail, throws, rejects, match,
    });
    assert.strict = assert;
    export const strict = assert;
    export default assert;`,
  util: `
    const show = (value, depth = 2) => {
      if (typeof value === 'string') return "'" + value + "'";
      if (typeof value === 'bigint') return value + 'n';
      if (typeof value === 'function') return '[Function: ' + (value.name || 'anonymous') + ']';
      if (typeof value !== 'object' || value === null) return String(value);
      if (value instanceof Error) return value.stack ?? String(value);
      if (value instanceof Date) return value.toISOString();
      if (depth < 0) return Array.isArray(value) ? '[Array]' : '[Object]';
      if (Array.isArray(value)) return '[ ' + value.map((item) => show(item, depth - 1)).join(', ') + ' ]';
      return '{ ' + Object.keys(value).map((key) => key + ': ' + show(value[key], depth - 1)).join(', ') + ' }';
    };
    export const inspect = (value, options) => show(value, options?.depth ?? 2);
    inspect.custom = Symbol.for('nodejs.util.inspect.custom');
    export const format = (first, ...rest) => {
      let i = 0;
      const head = typeof first === 'string'
        ? first.replace(/%[sdifjoO%]/g, (code) => code === '%%' ? '%' : i >= rest.length ? code
          : code === '%s' ? String(rest[i++]) : code === '%j' ? JSON.stringify(rest[i++]) : /[dif]/.test(code) ? String(Number(rest[i++])) : show(rest[i++]))
        : show(first);
      return [head, ...rest.slice(i).map((value) => typeof value === 'string' ? value : show(value))].join(' ');
    };
    export const promisify = (fn) => (...args) => new Promise((resolve, reject) => fn(...args, (error, value) => error ? reject(error) : resolve(value)));
    export const inherits = (child, parent) => Object.setPrototypeOf(child.prototype, parent.prototype);
    export const deprecate = (fn) => fn;
    export const isDeepStrictEqual = (a, b) => JSON.stringify(a) === JSON.stringify(b);
    export const types = {
      isDate: (v) => v instanceof Date, isRegExp: (v) => v instanceof RegExp, isPromise: (v) => v instanceof Promise, isMap: (v) => v instanceof Map,
      isSet: (v) => v instanceof Set, isNativeError: (v) => v instanceof Error, isUint8Array: (v) => v instanceof Uint8Array,
    };
    export const TextEncoder = globalThis.TextEncoder;
    export const TextDecoder = globalThis.TextDecoder;
    export default { inspect, format, promisify, inherits, deprecate, isDeepStrictEqual, types, TextEncoder, TextDecoder };`,
};
