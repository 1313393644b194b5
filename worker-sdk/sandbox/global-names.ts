/**
 * Globals that bundled code gets as parameters of the function around it: a lookup in a sandbox's global object is a call into the
 * runtime, a parameter is not.
 */
export const GLOBAL_NAMES: readonly string[] = [
  'Object', 'Function', 'Array', 'String', 'Number', 'Boolean', 'Symbol', 'BigInt', 'Math', 'JSON', 'Reflect', 'Proxy', 'Promise', 'Date', 'RegExp',
  'Map', 'Set', 'WeakMap', 'WeakSet', 'Error', 'TypeError', 'RangeError', 'SyntaxError', 'ReferenceError', 'EvalError', 'URIError', 'AggregateError',
  'ArrayBuffer', 'DataView', 'Uint8Array', 'Int8Array', 'Uint16Array', 'Int16Array', 'Uint32Array', 'Int32Array', 'Float32Array', 'Float64Array',
  'BigInt64Array', 'BigUint64Array', 'Uint8ClampedArray', 'Intl', 'parseInt', 'parseFloat', 'isNaN', 'isFinite', 'encodeURIComponent',
  'decodeURIComponent', 'encodeURI', 'decodeURI', 'escape', 'unescape', 'console', 'setTimeout', 'clearTimeout', 'queueMicrotask', 'crypto',
  'performance', 'structuredClone', 'TextEncoder', 'TextDecoder', 'URL', 'URLSearchParams', 'Event', 'EventTarget', 'AbortSignal', 'AbortController',
  'AsyncLocalStorage', 'atob', 'btoa', 'process', 'fetch', 'Iterator',
];
