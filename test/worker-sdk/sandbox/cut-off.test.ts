// Code that does not come to an end is cut off; the worker and all other runs go on.
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WorkflowHost } from '../../../worker-sdk/replay/workflow-host.js';
import { HistoryDriver } from '../replay/history-driver.js';
import { makeHost } from '../replay/make-host.js';

const CODE = `
import { sleep, CancellationScope } from '@perdure/sdk/workflow';
export async function spins() { for (;;) {} }
export async function spinsLater() { await sleep(1); for (;;) {} }
export async function spinsInMicrotasks() { await sleep(1); for (;;) await null; }
export async function spinsInScope() { await CancellationScope.cancellable(async () => { await sleep(1); for (;;) {} }); }
export async function leavesMicrotasks() { Promise.resolve().then(function again(): any { return Promise.resolve().then(again); }); for (;;) {} }
export async function bystander() { await sleep(1); await null; return 'fine'; }
`;

let host: WorkflowHost;
beforeAll(async () => {
  host = await makeHost(CODE, { activationTimeoutMs: 150 });
});
afterAll(() => host.dispose());

describe('an endless loop', () => {
  test.each(['spins', 'leavesMicrotasks'])('%s in its first task', async (type) => {
    const bystander = new HistoryDriver(host, 'bystander');
    await bystander.task();
    const outcome = await new HistoryDriver(host, type).rawTask();
    expect(outcome).toMatchObject({ kind: 'failed', failure: { failure: { message: expect.stringMatching(/cut off.*activity/s) } } });
    await bystander.fireTimer().task();
    expect(bystander.result).toBe('fine');
  });

  test.each(['spinsLater', 'spinsInMicrotasks', 'spinsInScope'])('%s after it waited', async (type) => {
    const bystander = new HistoryDriver(host, 'bystander');
    await bystander.task();
    // Whoever uses AsyncLocalStorage in the worker's process, as loggers and tracers do, must not pay for a workflow that was cut off.
    const storage = new AsyncLocalStorage<string>();
    await storage.run('worker', async () => {
      const driver = new HistoryDriver(host, type);
      await driver.task();
      const outcome = await driver.fireTimer().rawTask();
      expect(outcome.kind).toBe('failed');
      expect(storage.getStore()).toBe('worker');
      await new Promise((resolve) => setImmediate(resolve));
      expect(storage.getStore()).toBe('worker');
    });
    await bystander.fireTimer().task();
    expect(bystander.result).toBe('fine');
  });

  test('the run is forgotten and starts over with its next task', async () => {
    const driver = new HistoryDriver(host, 'spins');
    const before = host.cachedRuns;
    await driver.rawTask();
    expect(host.cachedRuns).toBe(before);
  });
});
