// What one run does to anything shared, no other run sees; and what cannot be repeated in replay fails with a message that names the fix.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WorkflowHost } from '../../../worker-sdk/replay/workflow-host.js';
import { HistoryDriver } from '../replay/history-driver.js';
import { makeHost } from '../replay/make-host.js';

const CODE = `
import { sleep, AsyncLocalStorage, workflowInfo } from '@perdure/sdk/workflow';
import { z } from 'zod';
import * as helper from './helper.ts';

const attempt = (fn: () => unknown): string => { try { fn(); return 'done'; } catch (e) { return (e as Error).name; } };
let counter = 0;
const als = new AsyncLocalStorage<string>();

/** Tries to leave something behind, everywhere. */
export async function vandal(): Promise<Record<string, string>> {
  const g = globalThis as any;
  counter += 100;
  helper.state.touched = true;
  return {
    objectPrototype: attempt(() => { (Object.prototype as any).left = 1; }),
    arrayPush: attempt(() => { Array.prototype.push = () => 0; }),
    arrayIterator: attempt(() => { (Array.prototype as any)[Symbol.iterator] = null; }),
    promiseThen: attempt(() => { Promise.prototype.then = null as any; }),
    dateNow: attempt(() => { Date.now = () => 1; }),
    mathRandom: attempt(() => { Math.random = () => 0.5; }),
    json: attempt(() => { (JSON as any).parse = null; }),
    errorPrototype: attempt(() => { (Error.prototype as any).left = 1; }),
    generatorPrototype: attempt(() => { Object.getPrototypeOf(function* () {}).left = 1; }),
    typedArray: attempt(() => { (Uint8Array.prototype as any).left = 1; }),
    url: attempt(() => { (URL.prototype as any).left = 1; }),
    console: attempt(() => { console.log = null as any; }),
    intl: attempt(() => { (Intl.DateTimeFormat.prototype as any).left = 1; }),
    symbolRegistry: attempt(() => { (Symbol as any).iterator = null; }),
    realGlobal: attempt(() => { (new Function('return this')() as any).left = 1; }),
    ownGlobal: attempt(() => { g.left = 1; }),
    definedGlobal: attempt(() => { Object.defineProperty(g, 'leftToo', { value: 1 }); }),
    als: attempt(() => { als.enterWith('left'); }),
  };
}

/** Says what it finds. */
export async function victim(): Promise<unknown> {
  const g = globalThis as any;
  await null;
  return {
    counter, touched: helper.state.touched, left: [({} as any).left, ([] as any).left, g.left, g.leftToo, (new Error() as any).left, (new Uint8Array() as any).left],
    realGlobal: (new Function('return this')() as any).left, als: als.getStore(), pushes: [1].concat([2]).length, iterates: [...[1, 2]].length,
  };
}

export async function ownGlobalWorks(): Promise<unknown> {
  (globalThis as any).mine = 7;
  await sleep(1);
  return [(globalThis as any).mine, typeof globalThis.Promise];
}

/** Subclasses, overridden properties: frozen parents must not be in the way. */
export async function ordinaryCode(): Promise<unknown> {
  class MyError extends Error { constructor(m: string) { super(m); this.name = 'MyError'; this.message = m + '!'; } }
  const o: any = {}; o.toString = () => 'mine'; o.constructor = 'c'; o.hasOwnProperty = 'h'; o.valueOf = () => 3;
  function Old(this: any) { this.name = 'old'; } Old.prototype.toString = function () { return this.name; };
  class M extends Map { override get(k: unknown) { return super.get(k) ?? 'none'; } }
  const m = new M(); m.set('a', 1);
  const f: any = function () {}; f.toString = () => 'f';
  const arr: any = [1]; arr.constructor = 'p';
  return [String(new MyError('x')), String(o), o.constructor, o + 1, String(new (Old as any)()), m.get('b'), f.toString(), arr.constructor, new MyError('y') instanceof Error];
}

export async function library(): Promise<unknown> {
  const schema = z.object({ email: z.string().email(), n: z.number().int().min(1) });
  const bad = schema.safeParse({ email: 'no', n: 0 });
  return [schema.parse({ email: 'a@b.co', n: 2 }), bad.success, bad.error?.issues.length];
}

export async function forbidden(): Promise<Record<string, string>> {
  const g = globalThis as any;
  const message = (fn: () => unknown): string => { try { return String(fn()); } catch (e) { return (e as Error).message; } };
  return {
    fetch: message(() => fetch('http://x')), process: message(() => process.env.HOME), hrtime: message(() => process.hrtime()), setImmediate: message(() => setImmediate(() => {})),
    setInterval: message(() => setInterval(() => {}, 1)), weakRef: message(() => new WeakRef({})), registry: message(() => new FinalizationRegistry(() => {})),
    subtle: message(() => crypto.subtle), sharedArrayBuffer: typeof SharedArrayBuffer, atomics: typeof Atomics, wasm: typeof WebAssembly, buffer: typeof g.Buffer, require: typeof g.require,
    hostEscape: message(() => (TextEncoder as any).constructor('return typeof process.binding')()), nodeEnv: process.env.NODE_ENV!,
  };
}
`;

let host: WorkflowHost;
beforeAll(async () => {
  host = await makeHost({ 'workflows.ts': CODE, 'helper.ts': 'export const state: { touched?: boolean } = {};' });
});
afterAll(() => host.dispose());

async function resultOf(type: string): Promise<unknown> {
  const driver = new HistoryDriver(host, type);
  await driver.task();
  return driver.result;
}

describe('one run and another', () => {
  test('a vandal cannot reach what is shared', async () => {
    const before = await resultOf('victim');
    const tried = (await resultOf('vandal')) as Record<string, string>;
    const allowed = new Set(['ownGlobal', 'definedGlobal', 'als']);
    expect(Object.entries(tried).filter(([what, outcome]) => (outcome === 'done') !== allowed.has(what))).toEqual([]);
    expect(await resultOf('victim')).toEqual(before);
    expect(before).toEqual({ counter: 0, left: [null, null, null, null, null, null], pushes: 2, iterates: 2 });
  });

  test('a run may put things on its own global object', async () => {
    const driver = new HistoryDriver(host, 'ownGlobalWorks');
    await driver.task();
    await resultOf('victim');
    await driver.fireTimer().task();
    expect(driver.result).toEqual([7, 'function']);
  });

  test('ordinary code does not notice that its parents are frozen', async () => {
    expect(await resultOf('ordinaryCode')).toEqual(['MyError: x!', 'mine', 'c', 4, 'old', 'none', 'f', 'p', true]);
  });

  test('a library is evaluated once and works in every run', async () => {
    for (let i = 0; i < 3; i++) expect(await resultOf('library')).toEqual([{ email: 'a@b.co', n: 2 }, false, 2]);
  });
});

test('what must not be used says what to do instead', async () => {
  const messages = (await resultOf('forbidden')) as Record<string, string>;
  expect(messages.fetch).toMatch(/in an activity/);
  expect(messages.process).toMatch(/HOME.*pass it to the workflow/);
  expect(messages.hrtime).toMatch(/Date\.now\(\)/);
  expect(messages.setImmediate).toMatch(/sleep\(\)/);
  expect(messages.setInterval).toMatch(/loop over sleep\(\)/);
  expect(messages.weakRef).toMatch(/hold the value itself/);
  expect(messages.registry).toMatch(/finally/);
  expect(messages.subtle).toMatch(/activity/);
  expect(messages).toMatchObject({ sharedArrayBuffer: 'undefined', atomics: 'undefined', wasm: 'undefined', buffer: 'undefined', require: 'undefined' });
  // The constructor of a function of the realm makes functions of the realm, where there is no real process.
  expect(messages.hostEscape).toMatch(/process\.binding/);
  expect(messages.nodeEnv).toBe('production');
});
