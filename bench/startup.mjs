/**
 * How soon an engine is there: `server start-dev` (with the embedded PostgreSQL, template and programs in the cache) and `server start` on a database that runs,
 * each from the start of its process until it answers a call and until the first workflow has its result; and what it holds in memory with nothing to do.
 *
 *   node bench/startup.mjs --count 5
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, credentials } from '@grpc/grpc-js';
import { startChild } from './lib/children.mjs';
import { bench } from './lib/ending.mjs';
import { freePort, spawnServer, startEngine, startPostgres } from './lib/engine.mjs';
import { report } from './lib/frame.mjs';
import { rawLimits } from './lib/limits.mjs';
import { numeric, readOptions } from './lib/options.mjs';
import { familyCpuMs, familyResidentMiB } from './lib/processes.mjs';
import { sdk } from './lib/sdks.mjs';

const IDLE_MS = 5_000;

/** Asks until somebody answers. */
async function answered(address) {
  const client = new Client(address, credentials.createInsecure(), { 'grpc.initial_reconnect_backoff_ms': 10, 'grpc.min_reconnect_backoff_ms': 10, 'grpc.max_reconnect_backoff_ms': 10 });
  const same = (bytes) => bytes;
  const ask = () =>
    new Promise((resolve) => {
      const options = { deadline: Date.now() + 1_000 };
      client.makeUnaryRequest('/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo', same, same, Buffer.alloc(0), options, (error) => resolve(!error));
    });
  for (const end = performance.now() + 60_000; performance.now() < end; await sleep(5)) {
    if (await ask()) {
      client.close();
      return;
    }
  }
  throw new Error(`Nobody answered at ${address} within a minute`);
}

/** One start, from nothing to the first result. */
async function once(args, databaseUrl) {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const begin = performance.now();
  const { child, stop } = spawnServer([...args, '--port', String(port), '--http-port', 'off', '--log-level', 'error'], { databaseUrl, stdio: 'ignore' });
  try {
    await answered(address);
    const readyMs = performance.now() - begin;
    const readyCpuMs = familyCpuMs(child.pid);
    const workerBegin = performance.now();
    const worker = await startChild('worker.mjs', ['ours', address, 'first']);
    const { client, close } = await sdk('ours').client(address);
    await client.workflow.execute('oneActivity', { taskQueue: 'first', workflowId: `first-${begin}`, args: ['x'] });
    const firstMs = performance.now() - workerBegin;
    await close();
    await worker.end();
    await sleep(IDLE_MS);
    return { readyMs, readyCpuMs, firstMs, residentMiB: familyResidentMiB(child.pid) };
  } finally {
    await stop();
  }
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function several(count, args, databaseUrl) {
  await once(args, databaseUrl); // fills caches
  const runs = [];
  for (let i = 0; i < count; i++) runs.push(await once(args, databaseUrl));
  return Object.fromEntries(Object.keys(runs[0]).map((name) => [name, median(runs.map((run) => run[name]))]));
}

const { values } = readOptions({ count: numeric(3, 1, 'starts of a kind, of which the median counts') }, { address: 'it starts engines of its own', profile: 'processes begin and end' });

await bench(async () => {
  const { count } = values;
  const dev = await several(count, ['start-dev', '--headless']);
  const notes = [];
  const { inOnePiece } = await import('../server/dist/bundle.js');
  let own;
  const postgres = values['database-url'] ? undefined : await startPostgres();
  try {
    const databaseUrl = values['database-url'] ?? postgres.url;
    // it is looked at whether the database can be reached before the first start waits for it
    const engine = await startEngine({ databaseUrl });
    notes.push(...(await rawLimits(engine)));
    await engine.stop();
    own = await several(count, ['start'], databaseUrl);
  } finally {
    await postgres?.stop();
  }
  notes.push(`the engine's code: ${inOnePiece('main.js').pathname.includes('/bundle/') ? 'in one piece' : 'as compiled, file by file (npm run build joins it)'}`);
  notes.push(`CPU-ms until ready: start-dev ${dev.readyCpuMs.toFixed(0)}, start ${own.readyCpuMs.toFixed(0)} (engine alone); medians of ${count}, after one that fills the caches`);
  report(
    'Start, first workflow, memory with nothing to do',
    [
      { what: 'start-dev: process to first answer, a PostgreSQL included', value: dev.readyMs, unit: 'ms', atMost: 500 },
      { what: 'start on a database that runs: process to first answer', value: own.readyMs, unit: 'ms', atMost: 500 },
      { what: 'first workflow: worker process to result', value: own.firstMs, unit: 'ms', atMost: 1_000, note: 'worker started, code bundled, connected, one activity' },
      { what: 'resident with nothing to do, beside PostgreSQL', value: own.residentMiB, unit: 'MiB', atMost: 150, note: `start-dev with its watchdog ${dev.residentMiB.toFixed(0)} MiB` },
    ],
    notes,
    values.json,
  );
});
