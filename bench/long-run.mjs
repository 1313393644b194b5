/**
 * A run of 10,000 events: what appending to it, reading it by pages and replaying it cost for each event, beside a small run.
 *
 *   node bench/long-run.mjs
 *   node bench/long-run.mjs --count 3000
 */
import { startPair } from './lib/children.mjs';
import { benchRow, cpuMeter, cpuText, serverCpu } from './lib/frame.mjs';
import { numeric } from './lib/options.mjs';
import { sequentialHistory } from './lib/histories.mjs';
import { sdk } from './lib/sdks.mjs';

/** An activity called after the other adds six events. */
const EVENTS_A_STEP = 6;
const SMALL = 1_000;

async function historyOf(client, workflowId, pageSize) {
  let count = 0;
  let pages = 0;
  let nextPageToken;
  do {
    const page = await client.workflowService.getWorkflowExecutionHistory({ namespace: 'default', execution: { workflowId }, maximumPageSize: pageSize, nextPageToken });
    count += page.history.events.length;
    pages++;
    nextPageToken = page.nextPageToken;
  } while (nextPageToken?.length);
  return { count, pages };
}

/** Server CPU for each event of a run that grows to `events`; several runs, one after the other, so that the clock's ticks do not matter. */
async function append(engine, client, taskQueue, events, times, pair) {
  const cpu = cpuMeter(engine, { worker: pair.worker.pid });
  for (let i = 0; i < times; i++) {
    await client.workflow.execute('steps', { taskQueue, workflowId: `long-${events}-${i}`, args: [Math.floor((events - 5) / EVENTS_A_STEP)] });
  }
  const spent = cpu.take();
  return { perEvent: serverCpu(spent) / (events * times), text: cpuText(spent, events * times) };
}

/** CPU of our worker's replay for each event, in ms: the least of several goes. */
async function replay({ bundleWorkflowCode, Worker }, events) {
  const workflowBundle = await bundleWorkflowCode({ workflowsPath: new URL('./workflows/many-steps.ours.mjs', import.meta.url).pathname });
  const history = sequentialHistory('manySteps', Math.floor((events - 5) / EVENTS_A_STEP));
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 6; i++) {
    const copies = Array.from({ length: Math.ceil(10_000 / events) }, () => structuredClone(history));
    const before = process.cpuUsage();
    for (const copy of copies) await Worker.runReplayHistory({ workflowBundle }, copy);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000 / (copies.length * history.events.length));
  }
  return least;
}

await benchRow({ title: 'A run of 10,000 events', lasting: true, options: { count: numeric(10_000, 4_000, 'events of the large run') } }, async ({ engine, number, figure, note, progress }) => {
  const large = number('count');
  const pair = await startPair(engine.address);
  const { client, close } = await sdk('ours').client(engine.address);
  await append(engine, client, pair.queue, 500, 6, pair); // until the code is compiled
  progress('small runs');
  const smallCost = await append(engine, client, pair.queue, SMALL, Math.max(1, Math.round(large / SMALL)), pair);
  progress('large run');
  const largeCost = await append(engine, client, pair.queue, large, 1, pair);
  const line = (what, was, is) =>
    figure({ what: `${what}: CPU per event at ${large} events over that at ${SMALL}`, value: is / was, atMost: 1.2, note: `${(was * 1000).toFixed(1)} → ${(is * 1000).toFixed(1)} µs` });
  line('append', smallCost.perEvent, largeCost.perEvent);
  note(`append, CPU-ms per event: small ${smallCost.text}; large ${largeCost.text}`);
  const cpu = cpuMeter(engine);
  const read = async (workflowId, pageSize, times) => {
    cpu.take();
    let [events, pages] = [0, 0];
    for (let i = 0; i < times; i++) {
      const read = await historyOf(client, workflowId, pageSize);
      events += read.count;
      pages += read.pages;
    }
    const spent = cpu.take();
    note(`${workflowId} by pages of ${pageSize}: ${(events / pages).toFixed(0)} events a page; CPU-ms for 1000 events: ${cpuText(spent, events / 1000)}`);
    return serverCpu(spent) / events;
  };
  for (const pageSize of [100, 256]) {
    for (let i = 0; i < 20; i++) await historyOf(client, `long-${SMALL}-0`, pageSize); // until the code is compiled
    line(`pages of ${pageSize} batches`, await read(`long-${SMALL}-0`, pageSize, Math.ceil((20 * large) / SMALL)), await read(`long-${large}-0`, pageSize, 20));
  }
  await close();
  await pair.end();
  progress('replay');
  const workerSdk = await import('@perdure/sdk/worker');
  workerSdk.Runtime.install({ logger: new workerSdk.DefaultLogger('ERROR') });
  line('replay by our worker', await replay(workerSdk, SMALL), await replay(workerSdk, large));
});
