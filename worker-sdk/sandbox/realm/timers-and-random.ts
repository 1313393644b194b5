/** Timers that are durable, randomness that replays, and a console that logs. */
import { alea, fillFrom, uuid4From } from '../../workflow/random.js';
import { define, state, violation } from './state.js';

type Callback = (...args: unknown[]) => void;

/** While libraries load there is no run whose seed could be used. */
let loadRandom: (() => number) | undefined;

function random(): number {
  const value = state.hooks?.random();
  if (value !== undefined) return value;
  loadRandom ??= alea([0]);
  return loadRandom();
}

export function installTimersAndRandom(): void {
  define('setTimeout', (callback: Callback, ms: number, ...args: unknown[]) => {
    if (!state.hooks) throw violation('setTimeout() cannot be used while modules are loaded');
    return state.hooks.setTimeout(callback, ms, ...args);
  });
  define('clearTimeout', (handle: number | undefined) => state.hooks?.clearTimeout(handle));
  define('queueMicrotask', (callback: () => void) => {
    Promise.resolve().then(callback);
  });
  Object.defineProperty(Math, 'random', { value: () => random(), configurable: true, writable: true });
  define(
    'crypto',
    Object.freeze({
      randomUUID: () => uuid4From(random),
      getRandomValues: <T extends ArrayBufferView>(array: T): T => {
        fillFrom(random, new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
        return array;
      },
      get subtle(): never {
        throw violation('crypto.subtle works outside of the workflow and its results would come in any order: use it in an activity');
      },
    }),
  );
}

const LEVELS = { debug: 'debug', trace: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'error' } as const;

/** Text for people; strings as they are. */
function show(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return value.stack ?? String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

export function installConsole(): void {
  const methods: Record<string, (...args: unknown[]) => void> = {};
  for (const [method, level] of Object.entries(LEVELS)) {
    methods[method] = (...args) => state.hooks?.log(level, args.map(show).join(' '));
  }
  methods.assert = (holds, ...args) => {
    if (!holds) state.hooks?.log('error', ['Assertion failed', ...args].map(show).join(' '));
  };
  for (const silent of ['group', 'groupEnd', 'groupCollapsed', 'time', 'timeEnd', 'timeLog', 'count', 'countReset', 'table', 'dir']) {
    methods[silent] = (...args) => {
      if (args.length > 0) state.hooks?.log('debug', args.map(show).join(' '));
    };
  }
  define('console', Object.freeze(methods));
}
