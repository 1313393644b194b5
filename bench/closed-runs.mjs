/**
 * A database with a million closed runs: what starting, describing and listing cost, beside the same with a thousand. The million is copied in SQL.
 * The two are engines with databases of their own, asked by turns, so that both see the same machine; a database that is named holds a thousand first.
 *
 *   node bench/closed-runs.mjs                    a million: some minutes, 5 GB of disk
 *   node bench/closed-runs.mjs --count 100000
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { startChild } from './lib/children.mjs';
import { copyRun } from './lib/copy-runs.mjs';
import { startEngine } from './lib/engine.mjs';
import { benchRow, cpuMeter, cpuText, scratchFolder, serverCpu } from './lib/frame.mjs';
import { numeric } from './lib/options.mjs';
import { percentile } from './lib/report.mjs';
import { sdk } from './lib/sdks.mjs';

const SMALL = 1_000;
const APART_MS = 20;
/** The database may hold those of an earlier go. */
const GO = randomUUID().slice(0, 8);
const id = (i) => `closed-${GO}-${String(i).padStart(8, '0')}`;

async function firstPage(client, query) {
  const { executions } = await client.workflowService.listWorkflowExecutions({ namespace: 'default', query, pageSize: 100 });
  return executions.length;
}

/** What is asked of it, each many times. `count` closed runs lie there. */
const operations = (client, count, begin) => {
  const some = () => Math.floor(Math.random() * count);
  const at = (i) => new Date(begin - i * APART_MS).toISOString();
  return {
    'start': () => client.workflow.start('nobody', { taskQueue: 'nobody', workflowId: `new-${randomUUID()}` }),
    'describe': () => client.workflow.getHandle(id(some())).describe(),
    'history of a closed run': () => client.workflow.getHandle(id(some())).fetchHistory(),
    'list: newest 100': () => firstPage(client, ''),
    'list: closed, of a type, 100': () => firstPage(client, "WorkflowType = 'oneActivity' and ExecutionStatus = 'Completed'"),
    'list: by workflow id': () => firstPage(client, `WorkflowId = '${id(some())}'`),
    'list: 100 of a time': () => {
      const i = Math.floor(Math.random() * Math.max(1, count - 200));
      return firstPage(client, `CloseTime between '${at(i + 150)}' and '${at(i)}'`);
    },
  };
};

/** So many times over, of which the least counts: what else the machine does can only make it more. */
const GOES = 4;

/** Server CPU and p50 of each operation, in ms, for each side; the sides take turns. */
async function measure(sides, times) {
  const found = sides.map(() => ({}));
  const asked = sides.map(({ engine, client, count, begin }) => ({ cpu: cpuMeter(engine), operations: operations(client, count, begin) }));
  for (const name of Object.keys(asked[0].operations)) {
    for (let go = -1; go < GOES; go++) {
      for (const [side, { cpu, operations }] of asked.entries()) {
        const { spent, p50 } = await once(operations[name], cpu, times);
        if (go < 0) continue; // until the code is compiled
        const cpuMs = serverCpu(spent) / times;
        const least = found[side][name] ?? { cpuMs: Number.POSITIVE_INFINITY, p50 };
        const text = cpuMs < least.cpuMs ? cpuText(spent, times) : least.text;
        found[side][name] = { cpuMs: Math.min(least.cpuMs, cpuMs), p50: Math.min(least.p50, p50), text };
      }
    }
  }
  return found;
}

async function once(operation, cpu, times) {
  const latencies = [];
  cpu.take();
  for (let i = 0; i < times; i++) {
    const from = performance.now();
    await operation();
    latencies.push(performance.now() - from);
  }
  return { spent: cpu.take(), p50: percentile(latencies.sort((a, b) => a - b), 0.5) };
}

/** An engine with so many closed runs. */
async function filled(engine, count, progress) {
  const worker = await startChild('worker.mjs', ['ours', engine.address, 'closing']);
  const { client, close } = await sdk('ours').client(engine.address);
  const handle = await client.workflow.start('oneActivity', { taskQueue: 'closing', workflowId: id(0), args: ['x'] });
  await handle.result();
  await worker.end();
  const begin = Number((await handle.describe()).closeTime);
  await copyRun(engine.databaseUrl, id(0), 1, count - 1, progress, APART_MS);
  return { engine, client, close, count, begin };
}

const OPTIONS = {
  count: numeric(1_000_000, 100_000, 'closed runs'),
  times: numeric(300, 100, 'calls of a kind, of which there are four goes'),
};

await benchRow({ title: 'A million closed runs', lasting: true, needs: 'database', options: OPTIONS }, async ({ engine, values, number, figure, note, progress }) => {
  const [count, times] = [number('count'), number('times')];
  const apart = !values.address && !values['database-url'];
  const scratch = apart ? scratchFolder() : undefined;
  const smallEngine = apart ? await startEngine({ dataFolder: join(scratch.folder, 'postgres') }) : engine;
  try {
    const few = await filled(smallEngine, SMALL);
    let [small] = apart ? [] : await measure([few], times);
    const filling = performance.now();
    const many = apart ? await filled(engine, count, progress) : { ...few, count };
    if (!apart) await copyRun(engine.databaseUrl, id(0), SMALL, count - SMALL, progress, APART_MS);
    note(`${count} closed runs made in ${((performance.now() - filling) / 1000).toFixed(0)} s`);
    const measured = await measure(apart ? [few, many] : [many], times);
    const large = measured.at(-1);
    if (apart) [small] = measured;
    for (const [name, { cpuMs, p50, text }] of Object.entries(large)) {
      const was = small[name];
      figure({ what: `${name}: CPU at ${count} over that at ${SMALL}`, value: cpuMs / was.cpuMs, atMost: 1.2, note: `${was.cpuMs.toFixed(2)} → ${cpuMs.toFixed(2)} CPU-ms (${was.text} → ${text}), p50 ${was.p50.toFixed(1)} → ${p50.toFixed(1)} ms` });
    }
    await few.close();
    if (apart) await many.close();
  } finally {
    if (apart) await smallEngine.stop();
    await scratch?.remove();
  }
});
