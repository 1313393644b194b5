// Modules that are loaded ahead of the run that gets them: nobody can tell, and where somebody could, they are not.
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { WorkflowHost } from '../../../worker-sdk/replay/workflow-host.js';
import { SpareModules } from '../../../worker-sdk/sandbox/spare-modules.js';
import { firstValue, HistoryDriver } from '../replay/history-driver.js';
import { makeHost } from '../replay/make-host.js';

const hosts: WorkflowHost[] = [];
afterEach(() => {
  for (const host of hosts.splice(0)) host.dispose();
  vi.restoreAllMocks();
});

const turns = async (count = 5): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** What four runs of `main` come to, one after the other, and which of them got modules that were ready. */
async function runFourTimes(code: string) {
  const host = await makeHost(code);
  hosts.push(host);
  const take = vi.spyOn(SpareModules.prototype, 'take');
  const results: unknown[] = [];
  for (let i = 0; i < 4; i++) {
    const outcome = await new HistoryDriver(host, 'main').rawTask();
    if (outcome.kind === 'failed') results.push(outcome.failure.failure.message);
    if (outcome.kind === 'completed') {
      results.push(firstValue(outcome.completion.commands?.[0]?.completeWorkflowExecutionCommandAttributes?.result));
    }
    await turns();
  }
  return { results, ready: take.mock.results.map(({ value }) => value !== undefined) };
}

describe('workflow modules', () => {
  test('are each run’s own, whether they were ready or not', async () => {
    const code = `let calls = 0; const list: number[] = []; export async function main() { list.push(++calls); return list; }`;
    expect(await runFourTimes(code)).toEqual({ results: [[1], [1], [1], [1]], ready: [false, true, true, true] });
  });

  test.each([
    [
      'its name',
      `import { workflowInfo } from '@perdure/sdk/workflow'; let seen = 'none'; try { seen = workflowInfo().workflowId; } catch {} const now = () => workflowInfo().workflowId;`,
    ],
    ['its clock', `const seen = Date.now(); const now = () => Date.now();`],
    ['its clock, as a date', `const seen = new Date().getTime(); const now = () => new Date().getTime();`],
    ['its randomness', `let seen = 0; try { seen = Math.random(); } catch {} const now = () => (seen > 0 ? seen : 'none');`],
    [
      'whether it has an environment',
      `let seen = ''; const now = () => 'message'; try { process.env.HOME; seen = 'nothing'; } catch { seen = 'message'; }`,
    ],
  ])('that look at the run while they load see the one that they are for: %s', async (_what, code) => {
    const { results, ready } = await runFourTimes(`${code} export async function main() { return seen === now(); }`);
    expect(results).toEqual([true, true, true, true]);
    expect(ready).toEqual([false, false, false, false]);
  });

  test('that leave a promise rejected fail the run that they are for', async () => {
    const { results } = await runFourTimes(`Promise.reject(new Error('left behind')); export async function main() { return 1; }`);
    expect(results).toEqual(Array(4).fill('left behind'));
  });

  test('whose promise is rejected once the run is there fail that run', async () => {
    const code = `let fail: (error: Error) => void; new Promise((_, reject) => { fail = reject; }); export async function main() { fail(new Error('later')); return 1; }`;
    expect(await runFourTimes(code)).toEqual({ results: Array(4).fill('later'), ready: [false, true, true, true] });
  });
});

test('loading ahead ends for good when it fails, and when it is stopped', async () => {
  let loads = 0;
  const options = { takeObserved: () => false, recover: () => undefined };
  const failing = new SpareModules({
    ...options,
    load: () => {
      loads++;
      throw new Error('no');
    },
  });
  for (let i = 0; i < 3; i++) {
    expect(failing.take()).toBeUndefined();
    await turns();
  }
  expect(loads).toBe(1);

  const modules = { workflows: {}, interceptors: [] };
  const working = new SpareModules({ ...options, load: () => modules });
  expect(working.take()).toBeUndefined();
  await turns();
  expect(working.take()?.modules).toBe(modules);
  working.stop();
  await turns();
  expect(working.take()).toBeUndefined();
});
