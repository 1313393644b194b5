// What workflow code can do, seen from the server: commands, order, time, randomness, handlers.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WorkflowHost } from '../../../worker-sdk/replay/workflow-host.js';
import { HistoryDriver, firstValue } from '../replay/history-driver.js';
import { makeHost } from '../replay/make-host.js';

const CODE = `
import * as wf from '@perdure/sdk/workflow';
const { act, other } = wf.proxyActivities({ startToCloseTimeout: '10s' });
export const go = wf.defineSignal<[string]>('go');
export const order = wf.defineQuery<string[]>('order');
export const set = wf.defineUpdate<string, [string]>('set');

export async function clock() { const a = Date.now(); const d = new Date().toISOString(); await wf.sleep(1000); return [a, d, Date.now() - a, typeof Date(), new Date(0).getTime(), performance.now(), new Date() instanceof Date]; }
export async function random() { const r = [Math.random(), wf.uuid4(), crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(4))]]; await wf.sleep(1); return [...r, Math.random()]; }
export async function streams() { const s = wf.getRandomStream('plugin'); const a = s.random(); const m = Math.random(); const inside = s.with(() => Math.random()); return [a, m, inside, wf.getRandomStream('plugin').random() !== a]; }
export async function timeouts() { const log: string[] = []; const t = setTimeout(() => log.push('never'), 1000); await new Promise<void>((r) => setTimeout(r, 10, 'x')); clearTimeout(t); log.push('after'); return log; }
export async function ordering() {
  const log: string[] = []; wf.setHandler(go, (s) => { log.push('signal ' + s); }); wf.setHandler(order, () => log);
  void (async () => { await wf.condition(() => log.length > 0); log.push('condition'); })();
  const first = wf.sleep(1).then(() => log.push('timer')); const activity = act('x').then((r) => log.push('activity ' + r));
  await Promise.all([first, activity]); return log;
}
export async function unhandled() { void act('x'); await wf.sleep(1); await wf.sleep(2); return 'never'; }
export async function rejectsUnhandled() { void (async () => { throw new Error('nobody caught me'); })(); await wf.sleep(1); }
export async function updates() {
  let value = 'a'; wf.setHandler(set, async (v) => { const old = value; if (v === 'bad') throw new Error('not a failure'); if (v === 'fail') throw wf.ApplicationFailure.create({ message: 'no' }); if (v === 'slow') await wf.sleep(1); value = v; return old + (wf.currentUpdateInfo()?.id ?? ''); }, { validator: (v) => { if (!v) throw new Error('empty'); } });
  await wf.condition(() => value === 'end'); return value;
}
export async function als() {
  const storage = new wf.AsyncLocalStorage<string>();
  const seen = await Promise.all(['a', 'b'].map((s) => storage.run(s, async () => { await wf.sleep(1); await null; return storage.getStore(); })));
  return [...seen, storage.getStore() ?? 'none'];
}
export async function scopes() {
  const log: string[] = [];
  const inner = wf.CancellationScope.nonCancellable(async () => { await wf.sleep(5); log.push('shielded'); });
  try { await wf.CancellationScope.cancellable(() => wf.sleep('1 day')); } catch (e) { log.push('cancelled ' + wf.isCancellation(e)); }
  await inner; return log;
}
export async function child() { const r = await wf.startChild('kid', {}); return r.workflowId; }
export async function metadata() { wf.setHandler(go, () => {}, { description: 'goes' }); wf.setHandler(order, () => []); wf.setCurrentDetails('**now**'); await wf.sleep(1); }
export async function globals() {
  const url = new URL('/a?x=1', 'https://user@example.com:8080'); url.searchParams.append('y', 'ä'); url.pathname = '/b';
  const abort = new AbortController(); const events: string[] = []; abort.signal.addEventListener('abort', () => events.push('abort')); abort.abort(new Error('why'));
  const clone = structuredClone({ d: new Date(5), m: new Map([[1, new Set([2])]]), e: new RangeError('r'), b: new Uint8Array([1, 2]) });
  const text = new TextDecoder().decode(new TextEncoder().encode('grüße'));
  return [url.href, url.searchParams.get('y'), events, abort.signal.aborted, clone.d.getTime(), [...clone.m.get(1)!], clone.e.name, clone.b[1], text, btoa('hi'), atob('aGk='), new TextEncoder().encode('a') instanceof Uint8Array];
}
export async function summary() { await wf.sleep(1, { summary: 'nap' }); await act.executeWithOptions({ summary: 'acts', retry: { maximumAttempts: 2 } }, ['y']); }
export async function patches() { const out: string[] = []; if (wf.patched('p1')) out.push('new'); await wf.sleep(1); wf.deprecatePatch('p2'); return out; }
export async function staleHandler() { await wf.sleep(1); const got: string[] = []; wf.setHandler(go, (s) => { got.push(s); }); return got; }
export async function infoNow() { const i = wf.workflowInfo(); return [i.workflowType, i.taskQueue, i.namespace, i.attempt, i.historyLength, i.continueAsNewSuggested, i.startTime.getTime(), i.taskTimeoutMs, Object.isFrozen(i)]; }
export async function memos() {
  wf.upsertMemo({ step: 'first', gone: 1 }); await wf.sleep(1);
  wf.upsertMemo({ step: 'second', gone: null }); return wf.continueAsNew();
}
export async function stack() { await Promise.all([waitsHere(), wf.condition(() => false)]); }
async function waitsHere() { await wf.sleep('1 day'); }
`;

let host: WorkflowHost;
beforeAll(async () => {
  host = await makeHost(CODE);
});
afterAll(() => host.dispose());

describe('continue-as-new', () => {
  test.each([false, true])('the next run has the memo as the code has changed it (replayed: %s)', async (full) => {
    const driver = new HistoryDriver(host, 'memos', [], { full });
    await driver.task();
    const { commands } = await driver.fireTimer('1').task();
    const { memo } = commands!.at(-1)!.continueAsNewWorkflowExecutionCommandAttributes!;
    expect(Object.entries(memo!.fields!).map(([name, value]) => [name, firstValue({ payloads: [value] })])).toEqual([['step', 'second']]);
  });
});

describe('time and randomness', () => {
  test('the clock shows the task, and stands still within it', async () => {
    const driver = new HistoryDriver(host, 'clock');
    await driver.task();
    const startedMs = driver.nowMs - 2000;
    await driver.fireTimer().task();
    const result = driver.result as unknown[];
    expect(result.slice(0, 3)).toEqual([startedMs, new Date(startedMs).toISOString(), 5000]);
    expect(result.slice(3)).toEqual(['string', 0, 7000, true]);
    await driver.replay();
  });

  test('randomness is the run’s own and replays', async () => {
    const runId = '00000000-0000-4000-8000-000000000001';
    const results: unknown[] = [];
    for (const full of [false, true]) {
      const driver = new HistoryDriver(host, 'random', [], { runId, full });
      await driver.task();
      await driver.fireTimer().task();
      results.push(driver.result);
      await driver.replay();
    }
    expect(results[0]).toEqual(results[1]);
    const [first, uuid, randomUuid, bytes, last] = results[0] as [number, string, string, number[], number];
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set([first, last, uuid, randomUuid, String(bytes)]).size).toBe(5);
    const other = new HistoryDriver(host, 'random');
    await other.task();
    await other.fireTimer().task();
    expect((other.result as unknown[])[0]).not.toBe(first);
  });

  test('named streams leave the run’s own alone', async () => {
    const runId = '00000000-0000-4000-8000-000000000002';
    const driver = new HistoryDriver(host, 'streams', [], { runId });
    await driver.task();
    const [, main, inside, differs] = driver.result as [number, number, number, boolean];
    const plain = new HistoryDriver(host, 'random', [], { runId });
    await plain.task();
    await plain.fireTimer().task();
    expect(main).toBe((plain.result as number[])[0]);
    expect(inside).not.toBe(main);
    expect(differs).toBe(true);
  });

  test('setTimeout is a durable timer', async () => {
    const driver = new HistoryDriver(host, 'timeouts');
    await driver.task();
    await driver.fireTimer('2').task();
    expect(driver.result).toEqual(['after']);
    expect(driver.events.filter((event) => event.timerCanceledEventAttributes)).toHaveLength(1);
    await driver.replay();
  });
});

describe('order and errors', () => {
  test('signals come before timers and activities; what a condition unblocks takes its turn', async () => {
    const driver = new HistoryDriver(host, 'ordering');
    await driver.task();
    driver.fireTimer().completeActivity('r').signal('go', 's');
    await driver.task();
    expect(driver.result).toEqual(['signal s', 'timer', 'activity r', 'condition']);
    await driver.replay();
  });

  test('a rejection that nobody handles fails the task', async () => {
    const outcome = await new HistoryDriver(host, 'rejectsUnhandled').rawTask();
    expect(outcome).toMatchObject({ kind: 'failed', failure: { failure: { message: 'nobody caught me', stackTrace: expect.stringMatching(/workflows\.ts:\d+/) } } });
  });

  test('a signal that comes before its handler waits for it', async () => {
    const driver = new HistoryDriver(host, 'staleHandler');
    await driver.signal('go', 'early').task();
    await driver.fireTimer().task();
    expect(driver.result).toEqual(['early']);
    await driver.replay();
  });

  test('an unknown workflow type says what there is', async () => {
    const outcome = await new HistoryDriver(host, 'nope').rawTask();
    expect(outcome).toMatchObject({ failure: { failure: { message: expect.stringMatching(/'nope'.*It exports: .*clock/) } } });
  });
});

describe('updates', () => {
  const messageIds = (driver: HistoryDriver) => (driver.lastCompletion?.messages ?? []).map(({ id }) => id);

  test('are validated, accepted, completed; a rejection leaves no trace', async () => {
    const driver = new HistoryDriver(host, 'updates');
    await driver.task();
    await driver.update('u1', 'set', 'b').update('u2', 'set', '').task();
    expect(messageIds(driver)).toEqual(['u1/request/accept', 'u2/request/reject', 'u1/request/complete']);
    expect(driver.lastCompletion?.commands).toHaveLength(2);
    await driver.update('u3', 'set', 'fail').update('u4', 'unknown').task();
    expect(messageIds(driver)).toEqual(['u3/request/accept', 'u3/request/complete', 'u4/request/reject']);
    await driver.update('u5', 'set', 'slow').task();
    expect(messageIds(driver)).toEqual(['u5/request/accept']);
    await driver.fireTimer().task();
    expect(messageIds(driver)).toEqual(['u5/request/complete']);
    await driver.update('u6', 'set', 'end').task();
    expect(driver.result).toBe('end');
    await driver.replay();
  });

  test('an error that is no failure fails the task', async () => {
    const driver = new HistoryDriver(host, 'updates');
    await driver.task();
    const outcome = await driver.update('u1', 'set', 'bad').rawTask();
    expect(outcome).toMatchObject({ kind: 'failed', failure: { failure: { message: 'not a failure' } } });
  });
});

describe('queries', () => {
  test('alone, with a task, on a run that the worker forgot', async () => {
    const driver = new HistoryDriver(host, 'ordering');
    await driver.task();
    await driver.signal('go', '1').task();
    expect(await driver.query('order')).toEqual(['signal 1', 'condition']);
    host.evict(driver.runId);
    expect(await driver.query('order')).toEqual(['signal 1', 'condition']);
    await expect(driver.query('nope')).rejects.toThrow(/did not register a handler for nope.*order/);
    const { queryResults } = await driver.signal('go', '2').task({ q: { queryType: 'order' } });
    expect(queryResults?.q?.resultType).toBe(1);
    expect(firstValue(queryResults?.q?.answer)).toEqual(['signal 1', 'condition', 'signal 2']);
    await driver.replay();
  });

  test('every workflow says what it is and where it waits', async () => {
    const driver = new HistoryDriver(host, 'metadata');
    await driver.task();
    expect(await driver.query('__temporal_workflow_metadata')).toMatchObject({
      definition: { type: 'metadata', signalDefinitions: [{ name: 'go', description: 'goes' }] },
      currentDetails: '**now**',
    });
    const waiting = new HistoryDriver(host, 'stack');
    await waiting.task();
    expect(await waiting.query('__stack_trace')).toMatch(/waitsHere.*workflows\.ts:\d+/);
    expect(await waiting.query('__enhanced_stack_trace')).toMatchObject({ sdk: { name: 'perdure-typescript' }, stacks: expect.any(Array) });
  });
});

test('AsyncLocalStorage follows the code', async () => {
  const driver = new HistoryDriver(host, 'als');
  await driver.task();
  await driver.fireTimer('1').fireTimer('2').task();
  expect(driver.result).toEqual(['a', 'b', 'none']);
});

test('a shielded scope outlives the cancellation of its workflow', async () => {
  const driver = new HistoryDriver(host, 'scopes');
  await driver.task();
  await driver.requestCancel().task();
  await driver.fireTimer('1').task();
  expect(driver.result).toEqual(['cancelled true', 'shielded']);
  await driver.replay();
});

test('globals of the platform', async () => {
  const driver = new HistoryDriver(host, 'globals');
  await driver.task();
  expect(driver.result).toEqual([
    'https://user@example.com:8080/b?x=1&y=%C3%A4', 'ä', ['abort'], true, 5, [2], 'RangeError', 2, 'grüße', 'aGk=', 'hi', true,
  ]);
});

test('patches write a marker and the list of patches', async () => {
  const driver = new HistoryDriver(host, 'patches');
  await driver.task();
  await driver.fireTimer().task();
  expect(driver.result).toEqual(['new']);
  expect(driver.events.filter((event) => event.markerRecordedEventAttributes?.markerName === 'core_patch')).toHaveLength(2);
  expect(driver.events.filter((event) => event.upsertWorkflowSearchAttributesEventAttributes)).toHaveLength(2);
  await driver.replay();
});

test('workflowInfo', async () => {
  const driver = new HistoryDriver(host, 'infoNow');
  await driver.task();
  expect(driver.result).toEqual(['infoNow', 'tq', 'default', 1, 3, false, Date.UTC(2030, 0, 1) + 1000, 10_000, true]);
});

test('summaries ride with their commands', async () => {
  const driver = new HistoryDriver(host, 'summary');
  const timer = await driver.task();
  expect(firstValue({ payloads: [timer.commands![0]!.userMetadata!.summary!] })).toBe('nap');
  const activity = await driver.fireTimer().task();
  expect(firstValue({ payloads: [activity.commands![0]!.userMetadata!.summary!] })).toBe('acts');
  expect(activity.commands?.[0]).toMatchObject({
    scheduleActivityTaskCommandAttributes: { activityType: { name: 'act' }, retryPolicy: { maximumAttempts: 2 } },
  });
});
