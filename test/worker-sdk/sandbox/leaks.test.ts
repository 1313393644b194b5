// A run that tries to leave a mark on everything it can reach, and another that looks for marks.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WorkflowHost } from '../../../worker-sdk/replay/workflow-host.js';
import { HistoryDriver } from '../replay/history-driver.js';
import { makeHost } from '../replay/make-host.js';

const CODE = `
import * as w from '@perdure/sdk/workflow';
import { als, memory } from 'a-library';

const MARK = 'leftBehind';
const SIGN = Symbol.for('left behind');

/** Everything that can be reached from the global object and the SDK, with the way to it. */
function reachable(): Map<object, string> {
  const seen = new Map<object, string>();
  const queue: [unknown, string][] = Reflect.ownKeys(Object.getPrototypeOf(globalThis)).map((key) => [(globalThis as any)[key], String(key)]);
  queue.push([w, 'sdk'], [w.workflowInfo(), 'info'], [w.CancellationScope.current(), 'scope'], [function* () {}, 'generator'], [async () => {}, 'async'], [async function* () {}, 'async generator'],
    [[][Symbol.iterator](), 'array iterator'], [new Map().entries(), 'map iterator'], [new Set().values(), 'set iterator'], ['a'.matchAll(/a/g), 'regexp iterator'], [''[Symbol.iterator](), 'string iterator'],
    [new URL('http://a/b?c=d').searchParams, 'params'], [new AbortController().signal, 'signal'], [w.log, 'log'], [w.metricMeter, 'meter'], [new Error(), 'error'], [new w.Trigger(), 'trigger'],
    [w.proxyActivities({ startToCloseTimeout: '1s' }), 'activities'], [typeof require === 'function' ? require : undefined, 'require'], [w.getExternalWorkflowHandle('x'), 'handle'], [Promise.resolve(), 'promise'], [/a/, 'regexp'], [(function () { return arguments; })(), 'arguments']);
  while (queue.length > 0) {
    const [value, path] = queue.pop()!;
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) continue;
    seen.set(value, path);
    let keys: (string | symbol)[] = [];
    try {
      keys = Reflect.ownKeys(value);
      queue.push([Object.getPrototypeOf(value), path + '.__proto__']);
    } catch {}
    for (const key of keys) {
      const descriptor = Object.getOwnPropertyDescriptor(value, key);
      if (descriptor) queue.push([descriptor.value, path + '.' + String(key)], [descriptor.get, path + '.get ' + String(key)], [descriptor.set, path + '.set ' + String(key)]);
    }
  }
  return seen;
}

/** What belongs to the world outside. */
export async function foreign(): Promise<string[]> {
  const found: string[] = [];
  for (const [target, path] of reachable()) {
    let root: unknown = target;
    for (let next; (next = Object.getPrototypeOf(root)) !== null; ) root = next;
    const isOwnRoot = root === Object.prototype || root === target;
    if (!isOwnRoot || (typeof target === 'function' && !(target instanceof Function) && target !== Function.prototype)) found.push(path);
  }
  return found;
}

/** Shared objects that can be changed although they are frozen. */
export async function collections(): Promise<string[]> {
  return [...reachable()].filter(([target]) => target instanceof Map || target instanceof Set || target instanceof ArrayBuffer || ArrayBuffer.isView(target)).map(([, path]) => path);
}

const attempt = (fn: () => void): void => { try { fn(); } catch {} };

export const size = async (): Promise<number> => reachable().size;

export async function vandal(): Promise<number> {
  const all = [...reachable().keys()];
  for (const target of all) {
    attempt(() => { (target as any)[MARK] = 1; });
    attempt(() => { Object.defineProperty(target, SIGN, { value: 1, configurable: true }); });
    attempt(() => { Object.setPrototypeOf(target, { [MARK]: 1 }); });
    if (target instanceof Map || target instanceof Set) attempt(() => { (target as any).clear(); });
    if (Array.isArray(target)) attempt(() => { target.push(MARK); });
    for (const key of Reflect.ownKeys(target)) {
      const descriptor = Object.getOwnPropertyDescriptor(target, key)!;
      // Only what is seen by all is worth an attempt; without its own toString this run could go on nowhere.
      if (descriptor.writable || descriptor.configurable) attempt(() => { if (key === 'stackTraceLimit') (target as any)[key] = 0; });
    }
  }
  attempt(() => { (0, eval)('var leftByEval = 1; function leftByFunction() {}'); });
  attempt(() => { new Function('leftByAssignment = 1')(); });
  attempt(() => { als.enterWith('left'); });
  'left behind'.match(/(left) (behind)/);
  setTimeout(() => undefined, 1_000_000);
  w.setHandler(w.defineSignal('left'), () => undefined);
  w.CancellationScope.current().cancelRequested.catch(() => undefined);
  return all.length;
}

/** What it finds. Objects that a run has for itself are not among it. */
export async function victim(): Promise<unknown> {
  const marked: string[] = [];
  for (const [target, path] of reachable()) {
    if (MARK in target || SIGN in target || (Array.isArray(target) && target.includes(MARK))) marked.push(path);
  }
  const legacy = (() => { try { return [(RegExp as any).$1, (RegExp as any).lastMatch]; } catch (e) { return (e as Error).message; } })();
  return {
    marked,
    evaluated: [typeof (globalThis as any).leftByEval, typeof (globalThis as any).leftByFunction, typeof (globalThis as any).leftByAssignment],
    store: als.getStore(),
    legacy,
    stack: new Error('x').stack!.split('\\n').length > 1,
    timer: setTimeout(() => undefined, 1_000_000),
    memory: memory.size,
  };
}

export async function fresh(): Promise<unknown> {
  await null;
  return [als.getStore(), als.run('own', () => als.getStore())];
}

/** Stores and timers of two runs at the same time. */
export async function interleaved(name: string): Promise<unknown> {
  return als.run(name, async () => {
    const seen: unknown[] = [als.getStore()];
    await w.sleep(1);
    seen.push(als.getStore());
    await new Promise<void>((resolve) => setTimeout(() => { seen.push(als.getStore()); resolve(); }, 1));
    await Promise.resolve().then(() => seen.push(als.getStore()));
    queueMicrotask(() => seen.push(als.getStore()));
    await null;
    return seen;
  });
}
`;

let host: WorkflowHost;

beforeAll(async () => {
  host = await makeHost({
    'workflows.ts': CODE,
    'node_modules/a-library/package.json': '{"name":"a-library","main":"index.js"}',
    'node_modules/a-library/index.js': `
      const { AsyncLocalStorage } = require('node:async_hooks');
      exports.als = new AsyncLocalStorage();
      exports.memory = new Map();
    `,
  });
});
afterAll(() => host.dispose());

async function run(type: string, ...args: unknown[]): Promise<unknown> {
  const driver = new HistoryDriver(host, type, args);
  const completion = await driver.task();
  expect(completion.commands?.at(-1)?.failWorkflowExecutionCommandAttributes?.failure?.message).toBeUndefined();
  return driver.result;
}

test('nothing of the outside can be reached', async () => {
  expect(await run('foreign')).toEqual([]);
});

test('no collections and bytes, which cannot be frozen', async () => {
  const found = (await run('collections')) as string[];
  // What a run knows of itself is its own.
  expect(found.filter((path) => !path.startsWith('info.'))).toEqual([]);
});

test('a mark on everything that can be reached is found nowhere', async () => {
  // What it does to the objects of its own run may well break that.
  await new HistoryDriver(host, 'vandal').rawTask();
  expect(await run('size')).toBeGreaterThan(500);
  expect(await run('victim')).toEqual({
    marked: [],
    evaluated: ['undefined', 'undefined', 'undefined'],
    legacy: expect.stringContaining('RegExp'),
    stack: true,
    timer: 1,
    memory: 0,
  });
  expect(await run('fresh')).toEqual([null, 'own']);
});

test('stores follow their own run where several take turns', async () => {
  const drivers = ['a', 'b', 'c'].map((name) => new HistoryDriver(host, 'interleaved', [name]));
  for (const driver of drivers) await driver.task();
  for (const driver of [...drivers].reverse()) await driver.fireTimer('1').task();
  for (const driver of drivers) await driver.fireTimer('2').task();
  expect(drivers.map((driver) => driver.result)).toEqual(['a', 'b', 'c'].map((name) => [name, name, name, name, name]));
});

const NEWER = `
import { sleep } from '@perdure/sdk/workflow';

/** Shows the clock by all ways, before and after a second of the workflow. */
export async function clock(): Promise<unknown> {
  const now = () => {
    const { Temporal } = globalThis as any;
    if (!Temporal) return undefined;
    const { Now } = Temporal;
    return [Now.instant().epochMilliseconds - Date.now(), Now.plainDateTimeISO().toString(), Now.zonedDateTimeISO('Asia/Tokyo').hour, Now.plainDateISO().toString(), Now.timeZoneId(), Now.plainTimeISO().toString()];
  };
  const before = now();
  await sleep(1000);
  return [before, now(), new Date().toISOString()];
}

export async function globals(): Promise<unknown> {
  const copied = structuredClone({ date: new Date(5), map: new Map([[1, new Set([2])]]), bytes: new Uint8Array([1, 2]), error: new TypeError('x'), big: 3n, nested: { list: [undefined, null] } });
  const controller = new AbortController();
  const reasons: unknown[] = [];
  controller.signal.addEventListener('abort', () => reasons.push((controller.signal.reason as Error).message));
  controller.abort(new Error('enough'));
  const any = AbortSignal.any([controller.signal, new AbortController().signal]);
  const url = new URL('../b?x=1&x=2#f', 'https://user@host:8080/a/c');
  url.searchParams.append('y', 'ä');
  const event = new EventTarget();
  event.addEventListener('ping', (e) => reasons.push(e.type), { once: true });
  event.dispatchEvent(new Event('ping'));
  event.dispatchEvent(new Event('ping'));
  return {
    copied: [copied.date.getTime(), copied.map.get(1)!.has(2), [...copied.bytes], copied.error instanceof TypeError, String(copied.big), copied.nested.list.length],
    text: [[...new TextEncoder().encode('ä€')], new TextDecoder().decode(new Uint8Array([0xe2, 0x82, 0xac]))],
    reasons, any: any.aborted, url: String(url), base64: atob(btoa('hi')),
    uuid: crypto.randomUUID() !== crypto.randomUUID(), random: crypto.getRandomValues(new Uint8Array(4)).length, performance: performance.now(),
    timer: await new Promise((resolve) => { const never = setTimeout(() => resolve('no'), 1); clearTimeout(never); queueMicrotask(() => resolve('microtask')); }),
  };
}
`;

test('what is built in works, and the newest of it shows the clock of the workflow', async () => {
  const newer = await makeHost(NEWER);
  const driver = new HistoryDriver(newer, 'clock');
  await driver.task();
  await driver.fireTimer().task();
  const [before, after, iso] = driver.result as [unknown[] | null, unknown[] | null, string];
  if ('Temporal' in globalThis) {
    expect(before!.slice(0, 2)).toEqual([0, expect.stringMatching(/^2030-01-01T/)]);
    expect(after!.slice(0, 2)).toEqual([0, iso.replace(/(\.000)?Z$/, '')]);
    expect(before!.slice(2, 5)).toEqual([9, '2030-01-01', 'UTC']);
  } else expect([before, after]).toEqual([null, null]);
  const globals = new HistoryDriver(newer, 'globals');
  await globals.task();
  expect(globals.result).toEqual({
    copied: [5, true, [1, 2], true, '3', 2],
    text: [[0xc3, 0xa4, 0xe2, 0x82, 0xac], '€'],
    reasons: ['enough', 'ping'],
    any: true,
    url: 'https://user@host:8080/b?x=1&x=2&y=%C3%A4#f',
    base64: 'hi',
    uuid: true,
    random: 4,
    performance: expect.any(Number),
    timer: 'microtask',
  });
  newer.dispose();
});
