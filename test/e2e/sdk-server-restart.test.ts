/** Worker and client outlive the server: it is killed in the middle of everything, started again, and all that was asked for comes to its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { Client, Connection } from '../../worker-sdk/client/index.js';
import { Worker } from '../../worker-sdk/worker/index.js';
import { useDatabase } from '../helpers/postgres.js';
import { installOurRuntime } from './sdk/kits.js';

const database = useDatabase();
let server: ChildProcess | undefined;
afterAll(() => server?.kill('SIGKILL'));

async function freePort(): Promise<number> {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as net.AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function startServer(port: number): ChildProcess {
  const cli = fileURLToPath(new URL('../../cli/bin/perdure.js', import.meta.url));
  const args = [cli, 'server', 'start', '--port', String(port), '--http-port', 'off', '--log-level', 'error', '--log-format', 'json'];
  return spawn(process.execPath, args, { env: { ...process.env, DATABASE_URL: database.url }, stdio: ['ignore', 'ignore', 'inherit'] });
}

test('twenty workflows of ten steps, the server killed three times', async () => {
  installOurRuntime();
  const port = await freePort();
  server = startServer(port);
  const connection = await Connection.connect({ address: `127.0.0.1:${port}`, connectTimeout: '30 seconds' });
  const taskQueue = `restart-${randomUUID()}`;
  let steps = 0;
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('./sdk/impatient.ts', import.meta.url)),
    activities: {
      async echo(value: string) {
        if (++steps % 50 === 0 && steps <= 150) {
          server!.kill('SIGKILL');
          server = startServer(port);
        }
        return value;
      },
    },
  });
  const client = new Client({ connection });
  const execute = (_: unknown, i: number) =>
    client.workflow.execute('manySteps', { taskQueue, workflowId: `restart-${i}-${randomUUID()}`, args: [10], workflowTaskTimeout: '1 second' });
  const results = await worker.runUntil(() => Promise.all(Array.from({ length: 20 }, execute)));
  expect(results).toEqual(Array.from({ length: 20 }, () => Array.from({ length: 10 }, (_, i) => String(i))));
  expect(steps).toBeGreaterThanOrEqual(200);
  await connection.close();
}, 120_000);
