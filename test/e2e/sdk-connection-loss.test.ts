/** Worker and client behind a connection that is cut again and again: calls with unknown outcome are made again, and nothing is lost or done twice. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Client, Connection } from '../../worker-sdk/client/index.js';
import { Worker } from '../../worker-sdk/worker/index.js';
import { CuttingProxy } from '../helpers/cutting-proxy.js';
import { type EngineServer, startEngineServer } from '../transport/engine-server.js';
import { installOurRuntime } from './sdk/kits.js';

let engine: EngineServer;
let proxy: CuttingProxy;
let connection: Connection;

beforeAll(async () => {
  installOurRuntime();
  engine = await startEngineServer();
  proxy = await CuttingProxy.start(engine.address);
  connection = await Connection.connect({ address: proxy.address });
});
afterAll(async () => {
  await connection.close();
  await proxy.stop();
  await engine.stop();
});

test('thirty workflows of twelve steps, the connection cut at every tenth step', async () => {
  const taskQueue = `cut-${randomUUID()}`;
  let steps = 0;
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('./sdk/impatient.ts', import.meta.url)),
    activities: {
      async echo(value: string) {
        if (++steps % 10 === 0) proxy.cut();
        return value;
      },
    },
  });
  const client = new Client({ connection });
  const results = await worker.runUntil(() =>
    Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        client.workflow.execute('manySteps', { taskQueue, workflowId: `cut-${i}-${randomUUID()}`, args: [12], workflowTaskTimeout: '1 second' }),
      ),
    ),
  );
  expect(results).toEqual(Array.from({ length: 30 }, () => Array.from({ length: 12 }, (_, i) => String(i))));
  expect(proxy.cuts).toBeGreaterThan(20);
}, 120_000);
