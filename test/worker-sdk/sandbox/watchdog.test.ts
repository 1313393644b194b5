/** The thread that ends code which takes too long: what it ends, what it leaves alone, and that nothing else is lost by it. */
import { AsyncLocalStorage, executionAsyncId } from 'node:async_hooks';
import { execFileSync } from 'node:child_process';
import { createContext, Script } from 'node:vm';
import { beforeAll, describe, expect, test } from 'vitest';
import { restoreAsyncId } from '../../../worker-sdk/sandbox/async-ids.js';
import { Watchdog } from '../../../worker-sdk/sandbox/watchdog.js';
import { until } from '../../helpers/until.js';

const LIMIT_MS = 60;
const watchdog = new Watchdog(0);
const context = createContext({ now: () => Date.now() }, { microtaskMode: 'afterEvaluate' });
const inContext = (code: string) => () => void new Script(code).runInContext(context);

/** As guards do it: outside of microtasks, and with what a termination leaves behind tidied up. */
function run(fn: () => void, limitMs = LIMIT_MS, guard = watchdog): Promise<boolean | undefined> {
  return new Promise((resolve) => {
    process.nextTick(() => {
      const asyncId = executionAsyncId();
      const ended = guard.run(limitMs, fn);
      if (ended === false) restoreAsyncId(asyncId);
      resolve(ended);
    });
  });
}

const nothing = () => undefined;

const proven = (guard: Watchdog): Promise<unknown> =>
  until('the watchdog to be proven', async () => {
    await run(nothing, LIMIT_MS, guard);
    return guard.isProven;
  });

beforeAll(() => proven(watchdog));

describe('an endless loop is ended, and the program goes on', () => {
  test.each<[string, () => void]>([
    [
      'of the program',
      () => {
        for (;;);
      },
    ],
    ['in a context', inContext('for (;;);')],
    ['that catches everything', inContext('for (;;) { try { for (;;); } catch {} finally {} }')],
    ['in a microtask', inContext('Promise.resolve().then(() => { for (;;); }); 0')],
    ['of microtasks', inContext('(async () => { for (;;) await null; })(); 0')],
    ['that calls the program', inContext('for (;;) now();')],
    ['that is compiled as it goes', inContext('{ let n = 0; const f = (a) => a + n++; for (;;) f(n); }')],
  ])('%s', async (_name, loop) => {
    for (let round = 0; round < 3; round++) {
      const begin = performance.now();
      expect(await run(loop)).toBe(false);
      expect(performance.now() - begin).toBeGreaterThanOrEqual(LIMIT_MS - 1);
      let steps = 0;
      expect(await run(() => void steps++)).toBe(true);
      expect(steps).toBe(1);
      expect(await Promise.resolve(1).then((one) => one + 1)).toBe(2);
    }
  });
});

test('what is queued before and after is not lost, and storages keep their values', async () => {
  const storage = new AsyncLocalStorage<string>();
  const seen: string[] = [];
  await storage.run('mine', async () => {
    void Promise.resolve().then(() => seen.push(`before ${storage.getStore()}`));
    process.nextTick(() => seen.push('tick before'));
    const ended = run(() => {
      for (;;);
    });
    process.nextTick(() => void Promise.resolve().then(() => seen.push('from a tick')));
    expect(await ended).toBe(false);
    await new Promise((resolve) => setImmediate(resolve));
    expect(storage.getStore()).toBe('mine');
  });
  expect(seen.sort()).toEqual(['before mine', 'from a tick', 'tick before']);
});

test('within microtasks it does nothing, neither then nor later', async () => {
  await Promise.resolve();
  let called = false;
  const call = () => {
    called = true;
  };
  expect(watchdog.run(LIMIT_MS, call)).toBeUndefined();
  await new Promise((resolve) => setImmediate(resolve));
  expect(called).toBe(false);
});

test('code that ends close to its limit is either over or ended, and nothing else is ended in its place', async () => {
  const eager = new Watchdog(0, 1);
  await proven(eager);
  const outcomes = new Set<boolean | undefined>();
  for (let round = 0; round < 300; round++) {
    let over = false;
    const ended = await run(
      () => {
        for (const end = performance.now() + 1 + (round % 30) * 0.1; performance.now() < end; );
        over = true;
      },
      2,
      eager,
    );
    if (!over) expect(ended).toBe(false);
    outcomes.add(ended);
    // Something that takes long enough to be hit by a termination that came too late.
    for (const end = performance.now() + 2; performance.now() < end; );
  }
  expect([...outcomes].sort()).toEqual([false, true]);
});

test('it starts with the guards, begins to work by itself, and does not keep the process from ending', () => {
  const url = new URL('../../../worker-sdk/dist/sandbox/watchdog.js', import.meta.url).href;
  const source = `
    const { Watchdog } = await import('${url}');
    const watchdog = new Watchdog(3);
    const tick = (fn) => new Promise((resolve) => process.nextTick(() => resolve(watchdog.run(2000, fn))));
    const first = [];
    for (let i = 0; i < 3; i++) first.push(await tick(() => {}));
    while (!watchdog.isProven && !watchdog.isUseless) { await tick(() => {}); await new Promise((resolve) => setTimeout(resolve, 5)); }
    console.log(JSON.stringify(first), watchdog.isProven, await tick(() => {}));
  `;
  const begin = performance.now();
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8', timeout: 20_000 });
  expect(output).toBe('[null,null,null] true true\n');
  expect(performance.now() - begin).toBeLessThan(15_000);
});
