/**
 * Runs that sleep: what 100,000 of them cost while nothing is due, and how late timers are when 10,000 become due within one second, while a worker
 * takes up each run and ends it. Read from the histories: no timer may fire early, none more than two seconds late.
 *
 *   node bench/timers.mjs
 *   node bench/timers.mjs --count 100000 --due 10000 --seconds 20
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import proto from '@temporalio/proto';
import { startChild } from './lib/children.mjs';
import { copyRun } from './lib/copy-runs.mjs';
import { withDatabase } from './lib/database.mjs';
import { benchRow, cpuMeter, cpuText, serverCpu } from './lib/frame.mjs';
import { numeric } from './lib/options.mjs';
import { percentile } from './lib/report.mjs';
import { residentMiB } from './lib/processes.mjs';
import { sdk } from './lib/sdks.mjs';

const History = proto.temporal.api.history.v1.History;
/** The database may hold the sleepers of an earlier go. */
const GO = randomUUID().slice(0, 8);
const SLEEPER = `sleeper-${GO}-00000000`;
const HOUR_MS = 3_600_000;
/** Until what the start left behind has been collected, and autovacuum has seen the rows. */
const SETTLED_MS = 10_000;
const ms = (time) => Number(time.seconds) * 1000 + time.nanos / 1e6;

/** Waits until a run has started its timer. */
async function untilAsleep(handle) {
  for (;;) {
    const { events } = await handle.fetchHistory();
    if (events.some((event) => event.timerStartedEventAttributes)) return;
    await sleep(20);
  }
}

/** A stored deadline is moved later when it fires: that of the first workflow task is behind it when the next is that of the timer. */
async function untilSettled(databaseUrl) {
  await withDatabase(databaseUrl, async (client) => {
    const earliest = async () => (await client.query('select min(deadline_ms)::float8 as ms from runs where workflow_id = $1', [SLEEPER])).rows[0].ms;
    while ((await earliest()) < Date.now() + HOUR_MS) await sleep(200);
  });
}

/** How late each timer of those runs fired, in ms. */
async function lateness(databaseUrl, prefix) {
  return withDatabase(databaseUrl, async (client) => {
    const { rows } = await client.query(`select h.run_id::text as run_id, h.events from history h join runs r using (run_id) where r.workflow_id like '${prefix}%' order by h.run_id, h.first_event_id`);
    const started = new Map();
    const late = [];
    for (const { run_id: runId, events } of rows) {
      for (const event of History.decode(events).events) {
        const { timerStartedEventAttributes: begun, timerFiredEventAttributes: fired } = event;
        if (begun) started.set(runId, ms(event.eventTime) + ms(begun.startToFireTimeout));
        if (fired) late.push(ms(event.eventTime) - started.get(runId));
      }
    }
    return late.sort((a, b) => a - b);
  });
}

async function inParallel(count, width, work) {
  let next = 0;
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < count) await work(next++);
    }),
  );
}

const OPTIONS = {
  count: numeric(100_000, 20_000, 'runs that sleep'),
  due: numeric(10_000, 2_000, 'runs that are due within one second'),
  seconds: numeric(20, 10, 'how long it is looked at with nothing due'),
};

await benchRow({ title: 'Sleeping runs and timers', lasting: true, needs: 'database', options: OPTIONS }, async ({ engine, number, figure, note, progress }) => {
  const [count, due, seconds] = [number('count'), number('due'), number('seconds')];
  const taskQueue = `sleepers-${GO}`;
  const worker = await startChild('worker.mjs', ['ours', engine.address, taskQueue]);
  const { client, close } = await sdk('ours').client(engine.address);
  const first = await client.workflow.start('sleepUntil', { taskQueue, workflowId: SLEEPER, args: [Date.now() + 10 * HOUR_MS] });
  await untilAsleep(first);
  await untilSettled(engine.databaseUrl);
  await copyRun(engine.databaseUrl, SLEEPER, 1, count - 1, progress);
  await sleep(SETTLED_MS);

  progress(`${count} asleep: idle for ${seconds} s`);
  const cpu = cpuMeter(engine, { worker: worker.pid });
  await sleep(seconds * 1000);
  const idle = cpu.take();
  const share = (ms) => (ms === undefined ? '–' : `${((ms / (seconds * 1000)) * 100).toFixed(2)} %`);
  figure({ what: `${count} sleeping runs: engine and PostgreSQL, share of a core`, value: (serverCpu(idle) / (seconds * 1000)) * 100, unit: '%', atMost: 1, note: `engine ${share(idle.engine)}, PostgreSQL ${share(idle.postgres)}, worker ${share(idle.worker)}` });
  note(`engine resident with ${count} asleep: ${residentMiB(engine.enginePid)?.toFixed(0)} MiB`);

  progress(`starting ${due} that sleep until the same second`);
  const begin = performance.now();
  const probe = Math.min(300, due);
  const start = (wakeMs) => (i) => client.workflow.start('sleepUntil', { taskQueue, workflowId: `due-${wakeMs}-${String(i).padStart(8, '0')}`, args: [wakeMs + (i % 1000)] });
  await inParallel(probe, 50, start(Date.now() + 20));
  const perRunMs = (performance.now() - begin) / probe;
  const wakeMs = Math.ceil(Date.now() + 1.5 * perRunMs * due + 10_000);
  await inParallel(due, 50, start(wakeMs));
  const leftMs = wakeMs - Date.now();
  note(`starting them took ${((performance.now() - begin) / 1000).toFixed(1)} s, ${(leftMs / 1000).toFixed(1)} s before the first was due`);
  if (leftMs < 1_000) throw new Error('the machine was too slow: timers were due before all had been started');
  await sleep(Math.max(0, leftMs - 200));
  cpu.take();
  const prefix = `due-${wakeMs}-`;
  const open = () => withDatabase(engine.databaseUrl, async (c) => (await c.query(`select count(*)::int8 as open from runs where workflow_id like '${prefix}%' and status = 1`)).rows[0].open);
  const fired = performance.now();
  while ((await open()) > 0 && performance.now() - fired < 120_000) await sleep(500);
  const all = (performance.now() - fired) / 1000;
  const spent = cpu.take();
  const late = await lateness(engine.databaseUrl, prefix);
  figure({ what: `${due} due in one second: fired`, value: late.length, atLeast: due });
  figure({ what: 'earliest', value: late[0], unit: 'ms late', atLeast: 0 });
  figure({ what: 'latest', value: late.at(-1), unit: 'ms late', atMost: 2_000, note: `p50 ${percentile(late, 0.5).toFixed(0)} ms, p95 ${percentile(late, 0.95).toFixed(0)} ms` });
  note(`all of them ended ${all.toFixed(1)} s after the first was due; CPU-ms per run: ${cpuText(spent, due)}`);
  await close();
  await worker.end();
});
