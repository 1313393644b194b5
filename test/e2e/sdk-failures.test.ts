/** Our worker when things go wrong: killed in the middle, changed under a running workflow, code that never pauses, an engine that restarts. */
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Client, Connection } from '../../worker-sdk/client/index.js';
import { bundleWorkflowCode, Worker } from '../../worker-sdk/worker/index.js';
import { until } from '../helpers/until.js';
import { type EngineServer, startEngineServer } from '../transport/engine-server.js';
import { installOurRuntime } from './sdk/kits.js';

let engine: EngineServer;
let connection: Connection;
let client: Client;
const folder = mkdtempSync(path.join(os.tmpdir(), 'perdure-e2e-'));
const children: ChildProcess[] = [];

beforeAll(async () => {
  installOurRuntime();
  engine = await startEngineServer();
  connection = await Connection.connect({ address: engine.address });
  client = new Client({ connection });
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await connection.close();
  await engine.stop();
  rmSync(folder, { recursive: true });
});

/** Workflow code as text, as a file that the bundler takes. */
async function bundleOf(name: string, code: string): Promise<{ code: string }> {
  const file = path.join(fileURLToPath(new URL('./sdk', import.meta.url)), `.${name}-${randomUUID()}.ts`);
  writeFileSync(file, `import * as w from '@perdure/sdk/workflow';\n${code}`);
  try {
    return await bundleWorkflowCode({ workflowsPath: file });
  } finally {
    rmSync(file);
  }
}

async function startWorker(taskQueue: string, workflowBundle: { code: string }, activities: object = {}): Promise<() => Promise<void>> {
  const worker = await Worker.create({ connection, taskQueue, workflowBundle, activities: { echo: async (value: unknown) => value, ...activities } });
  const run = worker.run();
  return async () => {
    worker.shutdown();
    await run;
  };
}

test('a worker that is killed loses nothing: the next one goes on, and no finished step runs again', async () => {
  const taskQueue = `kill-${randomUUID()}`;
  const journal = path.join(folder, 'journal');
  const spawn = async () => {
    const child = fork(fileURLToPath(new URL('./sdk/worker-process.mjs', import.meta.url)), [engine.address, taskQueue, journal], { execArgv: [] });
    children.push(child);
    await new Promise((resolve, reject) => child.once('message', resolve).once('exit', (code) => reject(new Error(`worker ended with ${code}`))));
    return child;
  };
  const steps = () => {
    try {
      return readFileSync(journal, 'utf8').trim().split('\n').length;
    } catch {
      return 0;
    }
  };
  const first = await spawn();
  const handle = await client.workflow.start('manySteps', { taskQueue, workflowId: taskQueue, args: [20], workflowTaskTimeout: '2 seconds' });
  await until('some steps', () => steps() >= 5);
  first.kill('SIGKILL');
  await spawn();
  expect(await handle.result()).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
  const lines = readFileSync(journal, 'utf8').trim().split('\n');
  const values = lines.map((line) => line.split(' ')[1]);
  expect(new Set(lines.map((line) => line.split(' ')[0])).size).toBe(2);
  // Only the step that was under way when the worker died may have begun twice.
  expect(values.length - new Set(values).size).toBeLessThanOrEqual(1);
}, 60_000);

test('code that changed under a running workflow is told apart from its history, and goes on when it is put right', async () => {
  const taskQueue = `nde-${randomUUID()}`;
  const code = (name: string) => `
    const acts = w.proxyActivities({ startToCloseTimeout: '5s' });
    export async function changing() {
      let gone = false;
      w.setHandler(w.defineSignal('go'), () => { gone = true; });
      await acts.${name}('x');
      await w.condition(() => gone);
      return 'done';
    }
  `;
  const right = await bundleOf('right', code('echo'));
  const wrong = await bundleOf('wrong', code('other'));
  let stop = await startWorker(taskQueue, right);
  const handle = await client.workflow.start('changing', { taskQueue, workflowId: taskQueue, workflowTaskTimeout: '1 second' });
  const count = (type: string) => async () => {
    const { events } = await handle.fetchHistory();
    return events!.filter((event) => Object.keys(event).some((key) => key === type));
  };
  await until('the activity', async () => (await count('activityTaskCompletedEventAttributes')()).length === 1);
  await until('the next task', async () => (await count('workflowTaskCompletedEventAttributes')()).length === 2);
  await stop();

  stop = await startWorker(taskQueue, wrong, { other: async () => 'y' });
  await handle.signal('go');
  const failed = await until('the failed task', async () => (await count('workflowTaskFailedEventAttributes')())[0]);
  const { failure, cause } = failed.workflowTaskFailedEventAttributes!;
  // WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
  expect(cause).toBe(24);
  expect(failure!.message).toMatch(/other/);
  expect(failure!.message).toMatch(/echo/);
  await stop();

  stop = await startWorker(taskQueue, right);
  expect(await handle.result()).toBe('done');
  await stop();
}, 60_000);

test('a history is replayed against the present code, and what differs is named', async () => {
  const taskQueue = `replay-${randomUUID()}`;
  const code = (steps: string) => `
    const acts = w.proxyActivities({ startToCloseTimeout: '5s' });
    export async function replayed() { ${steps} return 'done'; }
  `;
  const right = await bundleOf('replay-right', code("await acts.echo('a'); await w.sleep(1); await acts.echo('b');"));
  const wrong = await bundleOf('replay-wrong', code("await acts.echo('a'); await acts.echo('b'); await w.sleep(1);"));
  const stop = await startWorker(taskQueue, right);
  const handle = await client.workflow.start('replayed', { taskQueue, workflowId: taskQueue });
  await handle.result();
  await stop();
  const history = await handle.fetchHistory();
  await Worker.runReplayHistory({ workflowBundle: right }, history, taskQueue);
  await expect(Worker.runReplayHistory({ workflowBundle: wrong }, history, taskQueue)).rejects.toMatchObject({ name: 'DeterminismViolationError' });
  const results = [];
  const histories = [
    { workflowId: taskQueue, history },
    { workflowId: 'no history', history: {} },
  ];
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: right }, histories)) results.push([workflowId, error?.name]);
  expect(results).toEqual([
    [taskQueue, undefined],
    ['no history', 'ValueError'],
  ]);
});

test('a workflow that never pauses is cut off, and the others go on', async () => {
  const taskQueue = `loop-${randomUUID()}`;
  const bundle = await bundleOf(
    'loop',
    `
    const { echo } = w.proxyActivities({ startToCloseTimeout: '5s' });
    export async function endless() { await w.sleep(1); for (;;); }
    export async function fine() { return echo('fine'); }
  `,
  );
  const stop = await startWorker(taskQueue, bundle);
  const endless = await client.workflow.start('endless', { taskQueue, workflowId: `${taskQueue}-endless` });
  const failure = await until('the failed task', async () => {
    const { events } = await endless.fetchHistory();
    return events!.find((event) => event.workflowTaskFailedEventAttributes)?.workflowTaskFailedEventAttributes?.failure;
  });
  expect(failure.message).toMatch(/did not pause/);
  expect(await client.workflow.execute('fine', { taskQueue, workflowId: `${taskQueue}-fine` })).toBe('fine');
  await endless.terminate();
  await stop();
}, 60_000);

test('bad input fails the task or the activity, never the worker', async () => {
  const taskQueue = `bad-${randomUUID()}`;
  const bundle = await bundleOf(
    'bad',
    `
    const acts = w.proxyActivities({ startToCloseTimeout: '5s', retry: { maximumAttempts: 1 } });
    export async function missing() { try { await acts.missing(); } catch (err) { return err.cause.message; } }
    export async function fine() { return acts.echo('fine'); }
  `,
  );
  const stop = await startWorker(taskQueue, bundle);
  expect(await client.workflow.execute('missing', { taskQueue, workflowId: `${taskQueue}-1` })).toMatch(/missing is not registered on this worker: expected one of echo/);
  const unknown = await client.workflow.start('noSuchWorkflow', { taskQueue, workflowId: `${taskQueue}-2` });
  const failure = await until('the failed task', async () => {
    const { events } = await unknown.fetchHistory();
    return events!.find((event) => event.workflowTaskFailedEventAttributes)?.workflowTaskFailedEventAttributes?.failure;
  });
  expect(failure.message).toMatch(/noSuchWorkflow/);
  expect(await client.workflow.execute('fine', { taskQueue, workflowId: `${taskQueue}-3` })).toBe('fine');
  await unknown.terminate();
  await stop();
});

test('what a workflow asks for at once may be larger than one message: its commands come in pages', async () => {
  const taskQueue = `pages-${randomUUID()}`;
  const bundle = await bundleOf(
    'pages',
    `const { size } = w.proxyActivities({ startToCloseTimeout: '1 minute' });
    export async function large(n) { return await Promise.all(Array.from({ length: n }, (_, i) => size('x'.repeat(600_000 + i)))); }`,
  );
  const stop = await startWorker(taskQueue, bundle, { size: async (text: string) => text.length });
  const handle = await client.workflow.start('large', { taskQueue, workflowId: randomUUID(), args: [10] });
  expect(await handle.result()).toEqual(Array.from({ length: 10 }, (_, i) => 600_000 + i));
  const { events } = await handle.fetchHistory();
  expect(events?.filter((e) => e.workflowTaskFailedEventAttributes)).toEqual([]);
  await stop();
});
