/** What the official worker does because this server says that it can: its queue limit holds, large answers come in pages, its heartbeats are listed. */
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as official from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enums } from '../../server/core/api.js';
import { Client, Connection } from '../../worker-sdk/client/index.js';
import { until } from '../helpers/until.js';
import { type EngineServer, startEngineServer } from '../transport/engine-server.js';

const WORKFLOWS = `import { proxyActivities } from '@temporalio/workflow';
const { note, size } = proxyActivities({ startToCloseTimeout: '1 minute' });
export async function large(n) { return await Promise.all(Array.from({ length: n }, (_, i) => size('x'.repeat(600_000 + i)))); }
export async function many(n) { await Promise.all(Array.from({ length: n }, () => note())); }`;

let engine: EngineServer;
let connection: Connection;
let client: Client;
let worker: official.Worker;
let run: Promise<void>;
let native: official.NativeConnection;
const taskQueue = `limits-${randomUUID()}`;
const times: number[] = [];
const quiet = () => undefined;

beforeAll(async () => {
  engine = await startEngineServer();
  connection = await Connection.connect({ address: engine.address });
  client = new Client({ connection });
  official.Runtime.install({
    logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet },
    telemetryOptions: { logging: { filter: official.makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
    workerHeartbeatInterval: '1s',
  });
  const file = path.join(fileURLToPath(new URL('./sdk', import.meta.url)), `.limits-${randomUUID()}.js`);
  writeFileSync(file, WORKFLOWS);
  try {
    native = await official.NativeConnection.connect({ address: engine.address });
    worker = await official.Worker.create({
      connection: native,
      taskQueue,
      workflowsPath: file,
      activities: { note: async () => void times.push(Date.now()), size: async (text: string) => text.length },
      maxTaskQueueActivitiesPerSecond: 10,
      activityTaskPollerBehavior: { type: 'autoscaling', initial: 2, maximum: 20 },
    });
  } finally {
    rmSync(file);
  }
  run = worker.run();
  run.catch(quiet);
});
afterAll(async () => {
  worker.shutdown();
  await run;
  await native.close();
  await connection.close();
  await engine.stop();
});

/** When each of `n` activities ran, in milliseconds after the first. */
async function activities(n: number): Promise<number[]> {
  times.length = 0;
  await client.workflow.execute('many', { taskQueue, workflowId: randomUUID(), args: [n] });
  return times.map((ms) => ms - times[0]!).sort((a, b) => a - b);
}

const queue = () =>
  connection.workflowService.describeTaskQueue({
    namespace: 'default',
    taskQueue: { name: taskQueue },
    taskQueueType: 2,
    reportStats: true,
  });

test('the limit that a worker asks for holds, and an operator’s goes before it', async () => {
  // a second's worth and one more go at once, the rest at the rate
  expect((await activities(25)).at(-1)).toBeGreaterThan(1_100);
  const { effectiveRateLimit, stats, pollers } = await queue();
  expect(effectiveRateLimit).toMatchObject({ requestsPerSecond: 10, rateLimitSource: enums.RateLimitSource.RATE_LIMIT_SOURCE_WORKER });
  expect(stats).toMatchObject({ rateLimitingActive: true });
  expect(pollers?.[0]).toMatchObject({ ratePerSecond: 10 });
  await connection.workflowService.updateTaskQueueConfig({
    namespace: 'default',
    taskQueue,
    taskQueueType: 2,
    updateQueueRateLimit: { rateLimit: { requestsPerSecond: 4 }, reason: 'the shop is slow today' },
  });
  expect((await activities(12)).at(-1)).toBeGreaterThan(1_400);
  expect((await queue()).effectiveRateLimit).toMatchObject({
    requestsPerSecond: 4,
    rateLimitSource: enums.RateLimitSource.RATE_LIMIT_SOURCE_API,
  });
});

test('commands that are larger than one call may be come in pages', async () => {
  const sizes = await client.workflow.execute('large', { taskQueue, workflowId: randomUUID(), args: [10] });
  expect(sizes).toEqual(Array.from({ length: 10 }, (_, i) => 600_000 + i));
});

test('the worker says how it is', async () => {
  const found = await until('its heartbeat', async () => {
    const { workersInfo } = await connection.workflowService.listWorkers({
      namespace: 'default',
      query: `TaskQueue = '${taskQueue}' AND Status = 'Running'`,
    });
    return workersInfo?.[0]?.workerHeartbeat;
  });
  expect(found).toMatchObject({ sdkName: 'temporal-typescript', activityPollerInfo: { isAutoscaling: true } });
});
