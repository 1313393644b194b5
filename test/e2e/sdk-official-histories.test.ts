/**
 * Histories that the installed official worker makes now, from code in which the finest order matters, replay on our SDK; and those of ours on the
 * official one. Signals and updates come when they come: each run of the test is another sample.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Context as OfficialContext, heartbeat as officialHeartbeat } from '@temporalio/activity';
import * as official from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Context, heartbeat } from '../../worker-sdk/activity/index.js';
import { Client, Connection, type WorkflowHandle } from '../../worker-sdk/client/index.js';
import { bundleWorkflowCode, NativeConnection, Worker } from '../../worker-sdk/worker/index.js';
import { installOurRuntime } from './sdk/kits.js';
import { anyServer, type ServerUnderTest } from './sdk/servers.js';

const workflowsPath = fileURLToPath(new URL('./histories/workflows.ts', import.meta.url));
const SAMPLES = Number(process.env.PERDURE_HISTORY_SAMPLES ?? 2);

let server: ServerUnderTest;
let connection: Connection;
let client: Client;
let ourBundle: { code: string };
let officialBundle: { code: string };

beforeAll(async () => {
  installOurRuntime();
  official.Runtime.install({
    logger: new official.DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: official.makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
  });
  server = await anyServer();
  connection = await Connection.connect({ address: server.address });
  client = new Client({ connection });
  ourBundle = await bundleWorkflowCode({ workflowsPath });
  const alias = { '@perdure/sdk/workflow': '@temporalio/workflow' };
  officialBundle = await official.bundleWorkflowCode({
    workflowsPath,
    logger: new official.DefaultLogger('ERROR'),
    webpackConfigHook: (config) => {
      config.resolve = { ...config.resolve, alias: { ...config.resolve?.alias, ...alias } };
      return config;
    },
  });
}, 120_000);
afterAll(async () => {
  await connection?.close();
  await server?.stop();
});

/** The activities, with the heartbeat and the cancellation of either SDK. */
function activities(beat: () => void, signal: () => AbortSignal) {
  const attempts = new Map<string, number>();
  return {
    echo: async (text: string) => text,
    flaky: async (key: string, times: number) => {
      const attempt = (attempts.get(key) ?? 0) + 1;
      attempts.set(key, attempt);
      if (attempt <= times) throw new Error(`attempt ${attempt}`);
      return `after ${attempt}`;
    },
    slow: async (ms: number) => {
      const until = Date.now() + ms;
      while (Date.now() < until) {
        beat();
        await pause(Math.min(20, Math.max(1, until - Date.now())), undefined, { signal: signal() });
      }
      return `slow ${ms}`;
    },
  };
}

type Run = (taskQueue: string, use: () => Promise<void>, cached: boolean) => Promise<void>;

const runOfficial: Run = async (taskQueue, use, cached) => {
  const native = await official.NativeConnection.connect({ address: server.address });
  const made = activities(officialHeartbeat, () => OfficialContext.current().cancellationSignal);
  const cache = cached ? {} : { maxCachedWorkflows: 0 };
  const worker = await official.Worker.create({
    connection: native,
    taskQueue,
    workflowBundle: officialBundle,
    activities: made,
    ...cache,
  });
  await worker.runUntil(use());
  await native.close();
};

const runOurs: Run = async (taskQueue, use, cached) => {
  const native = await NativeConnection.connect({ address: server.address });
  const made = activities(heartbeat, () => Context.current().cancellationSignal);
  const cache = cached ? {} : { maxCachedWorkflows: 0 };
  const worker = await Worker.create({ connection: native, taskQueue, workflowBundle: ourBundle, activities: made, ...cache });
  await worker.runUntil(use);
  await native.close();
};

const quiet = () => undefined;
const someMs = (most: number) => pause(Math.random() * most);

/** What happens to each workflow from outside, at moments of chance. */
const STORIES: Record<string, { args?: unknown[]; outside?: (handle: WorkflowHandle) => Promise<void> }> = {
  patches: {
    async outside(handle) {
      for (const text of ['a', 'b']) await someMs(30).then(() => handle.signal('poke', text).catch(quiet));
    },
  },
  races: {
    async outside(handle) {
      for (const text of 'abcdef') await someMs(25).then(() => handle.signal('poke', text).catch(quiet));
      await handle.query('seen').catch(quiet);
    },
  },
  scopes: {},
  locals: {
    async outside(handle) {
      const asked = ['p', 'q'].map((text) => someMs(60).then(() => handle.executeUpdate('ask', { args: [text] }).catch(quiet)));
      for (const text of 'abc') await someMs(40).then(() => handle.signal('poke', text).catch(quiet));
      await Promise.all(asked);
    },
  },
  updates: {
    async outside(handle) {
      const texts = ['quick 1', 'slow 1', 'bad 1', 'work 1', 'fail 1', 'quick 2', 'slow 2', 'work 2', 'bad 2'];
      const asked = texts.map((text) => someMs(120).then(() => handle.executeUpdate('ask', { args: [text] }).catch(quiet)));
      await someMs(30).then(() => handle.signal('poke', 'in between'));
      await Promise.all(asked);
      await handle.signal('poke', 'stop').catch(quiet);
    },
  },
  family: {},
  chain: {
    args: [0],
    async outside(handle) {
      for (const text of 'abc') await someMs(400).then(() => handle.signal('poke', text).catch(quiet));
    },
  },
};

interface Recorded {
  workflowId: string;
  history: object;
}

async function record(type: string, run: Run, cached: boolean): Promise<Recorded[]> {
  const taskQueue = `histories-${randomUUID()}`;
  const { args = [], outside } = STORIES[type]!;
  const recorded: Recorded[] = [];
  const take = async (workflowId: string, runId?: string) => {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    recorded.push({ workflowId, history });
    return history.events!.at(-1)!.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  };
  await run(
    taskQueue,
    async () => {
      const samples = Array.from({ length: SAMPLES }, async (_, i) => {
        const workflowId = `${type}-${i}-${randomUUID()}`;
        const handle = await client.workflow.start(type, { taskQueue, workflowId, args, workflowRunTimeout: '30s' });
        await Promise.all([outside?.(handle as WorkflowHandle), handle.result()]);
        for (let runId: string | null | undefined = handle.firstExecutionRunId; runId; ) runId = await take(workflowId, runId);
      });
      await Promise.all(samples);
    },
    cached,
  );
  return recorded;
}

describe.each([true, false])('with runs cached: %s', (cached) => {
  // Without cached runs the official worker has its trouble with local activities: it then waits for the task's timeout.
  const made = Object.keys(STORIES).filter((type) => cached || !['patches', 'scopes', 'locals'].includes(type));
  test.each(made)('%s: made by the official worker, replayed by ours', async (type) => {
    const histories = await record(type, runOfficial, cached);
    expect(histories.length).toBeGreaterThanOrEqual(SAMPLES);
    for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: ourBundle }, histories))
      expect(error, workflowId).toBeUndefined();
  });

  test.each(Object.keys(STORIES))('%s: made by our worker, replayed by the official one', async (type) => {
    const histories = await record(type, runOurs, cached);
    for await (const { workflowId, error } of official.Worker.runReplayHistories({ workflowBundle: officialBundle }, histories as never)) {
      expect(error, workflowId).toBeUndefined();
    }
  });
});
