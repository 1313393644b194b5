/**
 * Work that changes nodes: the worker polls one node, the client calls another, both on one database. Each kind of call one at a time, first with both on one
 * node that is alone, then across two.
 *
 *   node bench/handover.mjs --count 100
 */
import { randomUUID } from 'node:crypto';
import { startChild } from './lib/children.mjs';
import { startEngine } from './lib/engine.mjs';
import { benchRow, cpuMeter, cpuText } from './lib/frame.mjs';
import { numeric } from './lib/options.mjs';
import { percentile } from './lib/report.mjs';
import { sdk } from './lib/sdks.mjs';

const timed = async (action) => {
  const begin = performance.now();
  await action();
  return performance.now() - begin;
};

/** A workflow that waits, past its first task. */
async function waiting(client, taskQueue) {
  const handle = await client.workflow.start('talkative', { taskQueue, workflowId: `talk-${randomUUID()}` });
  await handle.query('gone');
  return handle;
}

const kinds = {
  async task({ client, taskQueue }) {
    return timed(() => client.workflow.execute('oneActivity', { taskQueue, workflowId: `task-${randomUUID()}`, args: ['x'] }));
  },
  async signal({ client, taskQueue }) {
    const handle = await waiting(client, taskQueue);
    const result = handle.result();
    return timed(async () => {
      await handle.signal('go');
      await result;
    });
  },
  async query({ handle }) {
    return timed(() => handle.query('gone'));
  },
  async update({ handle }) {
    return timed(() => handle.executeUpdate('add', { args: [1] }));
  },
};

/** p50 of each kind. */
async function measure({ client, close }, taskQueue, count) {
  const handle = await waiting(client, taskQueue);
  const found = {};
  for (const [name, once] of Object.entries(kinds)) {
    const latencies = [];
    for (let i = 0; i < count + 20; i++) {
      const ms = await once({ client, taskQueue, handle });
      if (i >= 20) latencies.push(ms);
    }
    found[name] = percentile(
      latencies.sort((a, b) => a - b),
      0.5,
    );
  }
  await handle.signal('go');
  await close();
  return found;
}

await benchRow({ title: 'Hand-over between two nodes, p50', needs: 'database', options: { count: numeric(100, 40, 'calls of a kind') } }, async ({ engine, number, figure, note, progress }) => {
  const count = number('count');
  let worker = await startChild('worker.mjs', ['ours', engine.address, 'one-node']);
  const alone = await measure(await sdk('ours').client(engine.address), 'one-node', count);
  await worker.end();
  progress(`one node: ${JSON.stringify(alone)}`);
  const second = await startEngine({ databaseUrl: engine.databaseUrl });
  try {
    worker = await startChild('worker.mjs', ['ours', second.address, 'two-nodes']);
    const cpu = cpuMeter(engine, { 'second engine': second.enginePid, worker: worker.pid });
    const across = await measure(await sdk('ours').client(engine.address), 'two-nodes', count);
    note(`CPU-ms per call: ${cpuText(cpu.take(), count * Object.keys(kinds).length)}`);
    for (const name of Object.keys(kinds)) {
      figure({ what: `${name}: more than on one node`, value: across[name] - alone[name], unit: 'ms', atMost: 10, note: `${alone[name].toFixed(1)} → ${across[name].toFixed(1)} ms` });
    }
    await worker.end();
  } finally {
    await second.stop();
  }
});
