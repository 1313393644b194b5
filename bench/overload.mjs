/**
 * More than the machine can do: what it does at best, measured with a fixed number in flight; then twice that rate, whether or not earlier
 * workflows are done, for a minute. Shows that memory stays flat and that what gets done is at least 90 % of the best.
 *
 *   node bench/overload.mjs                                  a minute
 *   node bench/overload.mjs --seconds 20 --factor 3
 *   node bench/overload.mjs --profile /tmp/profiles          a CPU profile of the engine
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { metric } from './lib/engine.mjs';
import { benchRow, cpuMeter, cpuText } from './lib/frame.mjs';
import { numeric } from './lib/options.mjs';
import { startChild, startPair } from './lib/children.mjs';
import { residentMiB } from './lib/processes.mjs';

const SAMPLE_MS = 2_000;

const total = (spent) => Object.values(spent).reduce((sum, ms) => sum + (ms ?? 0), 0);

/** The best of a few loads with a fixed number in flight, each after a warm-up. */
async function best(engine, { client, worker }, seconds, progress) {
  let found = { capacity: 0, cpuMs: 0 };
  const cpu = cpuMeter(engine, { worker: worker.pid, client: client.pid });
  for (const inFlight of [50, 100, 200]) {
    await client.ask({ scenario: 'one-activity', inFlight, limit: 1_500, seconds: seconds * 2 });
    cpu.take();
    const { result } = await client.ask({ scenario: 'one-activity', inFlight, limit: 1_000_000, seconds });
    const capacity = (result.latencies.length / result.elapsedMs) * 1000;
    progress(`${inFlight} in flight: ${capacity.toFixed(0)} workflows/s, ${await measured(engine)}`);
    if (capacity > found.capacity) found = { capacity, cpuMs: total(cpu.take()) / result.latencies.length };
  }
  return found;
}

const refusals = async (engine) =>
  (await Promise.all(['starts', 'requests', 'answers', 'polls'].map((what) => metric(engine, `perdure_refused_${what}_total`)))).reduce((sum, n) => sum + (n ?? 0), 0);

/** Group commits and transitions so far. */
const committed = (engine) => Promise.all(['commits', 'transitions'].map((what) => metric(engine, `perdure_${what}_total`)));

/** What the engine goes by. */
async function measured(engine) {
  const names = ['event_loop_delay_seconds', 'event_loop_utilization', 'machine_utilization', 'commit_wait_seconds', 'task_wait_seconds'];
  const values = await Promise.all(names.map((name) => metric(engine, `perdure_${name}`)));
  const [late, loop, machine, commit, task] = values.map((value) => value ?? 0);
  return `loop ${(late * 1000).toFixed(0)} ms late and ${(loop * 100).toFixed(0)} % at work, machine ${(machine * 100).toFixed(0)} %, commits wait ${(commit * 1000).toFixed(0)} ms, tasks ${(task * 1000).toFixed(0)} ms`;
}

/** Drives that rate and looks every two seconds. */
async function flood(engine, pair, perSecond, seconds, progress) {
  const samples = [];
  let before = await pair.client.ask({ kind: 'drive', perSecond });
  let refusedBefore = await refusals(engine);
  let commitsBefore = await committed(engine);
  const begin = performance.now();
  while (performance.now() - begin < seconds * 1000) {
    const from = performance.now();
    await sleep(SAMPLE_MS);
    const [now, refused, room] = [await pair.client.ask({ kind: 'look' }), await refusals(engine), await metric(engine, 'perdure_start_rate_limit')];
    const commits = await committed(engine);
    const [groups, transitions] = commits.map((count, i) => count - commitsBefore[i]);
    commitsBefore = commits;
    const elapsed = (performance.now() - from) / 1000;
    const sample = {
      atS: (performance.now() - begin) / 1000,
      doneRate: (now.done - before.done) / elapsed,
      startRate: (now.started - before.started) / elapsed,
      refusedRate: (refused - refusedBefore) / elapsed,
      perCommit: transitions / groups,
      perDone: transitions / Math.max(1, now.done - before.done),
      engineMiB: residentMiB(engine.enginePid) ?? 0,
      outstanding: now.outstanding,
      failed: now.failed,
      unsent: now.unsent,
      p50: now.p50,
    };
    [before, refusedBefore] = [now, refused];
    samples.push(sample);
    progress(
      `${sample.atS.toFixed(0)} s: ${sample.doneRate.toFixed(0)} done/s, ${sample.startRate.toFixed(0)} started/s, ${sample.refusedRate.toFixed(0)} refused/s, at most ${room === Infinity ? 'any' : room.toFixed(0)} starts/s, ` +
        `${await measured(engine)}, ${sample.perCommit.toFixed(0)} transitions a commit, ${sample.perDone.toFixed(1)} a workflow, engine ${sample.engineMiB.toFixed(0)} MiB, ${sample.outstanding} outstanding, p50 ${sample.p50?.toFixed(0) ?? '–'} ms`,
    );
  }
  return samples;
}

const mean = (numbers) => numbers.reduce((sum, n) => sum + n, 0) / numbers.length;

const OPTIONS = {
  seconds: numeric(60, 20, 'how long'),
  factor: numeric(2, 2, 'so many times the best rate'),
  client: { type: 'string', value: 'name', otherwise: 'ours', oneOf: ['ours', 'official', 'grpc'], what: 'who starts workflows: an SDK, or grpc-js alone, which does not come again' },
  sdk: { type: 'string', value: 'name', otherwise: 'ours', oneOf: ['ours', 'official'], what: 'whose worker' },
  'http-address': { type: 'string', value: 'host:port', what: 'with --address: where its metrics are' },
};

await benchRow(
  { title: 'Overload: twice what the machine can do', engine: { http: true }, options: OPTIONS, needs: 'metrics' },
  async ({ engine, number, values, figure, note, progress }) => {
    const seconds = number('seconds');
    const factor = number('factor');
    const closed = await startPair(engine.address, { sdk: values.sdk, clientSdk: values.client });
    const { capacity, cpuMs: cpuAtBest } = await best(engine, closed, Math.min(8, seconds / 4), progress);
    await closed.client.end();
    progress(`best ${capacity.toFixed(0)} workflows/s; now ${(factor * capacity).toFixed(0)} starts/s`);
    const open = { worker: closed.worker, client: await startChild('open-loop.mjs', [values.client, engine.address, closed.queue]) };
    const cpu = cpuMeter(engine, { worker: open.worker.pid, client: open.client.pid });
    const samples = await flood(engine, open, factor * capacity, seconds, progress);
    const spent = cpu.take();
    await open.client.end();
    await open.worker.end();
    const settled = samples.slice(Math.floor(samples.length / 4));
    const third = Math.max(1, Math.floor(samples.length / 3));
    const [middle, last] = [samples.slice(third, 2 * third), samples.slice(2 * third)].map((part) => mean(part.map((s) => s.engineMiB)));
    const goodput = mean(settled.map((s) => s.doneRate));
    figure({ what: 'goodput, share of the best', value: (goodput / capacity) * 100, unit: '%', atLeast: 90, note: `${goodput.toFixed(0)} of ${capacity.toFixed(0)} workflows/s` });
    figure({ what: 'resident memory of the engine, last third over the one before', value: last / middle, atMost: 1.1, note: `${middle.toFixed(0)} → ${last.toFixed(0)} MiB` });
    note(`engine MiB every ${SAMPLE_MS / 1000} s: ${samples.map((s) => s.engineMiB.toFixed(0)).join(' ')}`);
    note(`done/s: ${samples.map((s) => s.doneRate.toFixed(0)).join(' ')}`);
    note(`refused/s: ${samples.map((s) => s.refusedRate.toFixed(0)).join(' ')}`);
    const end = samples.at(-1);
    note(`at the end: ${end.outstanding} outstanding, p50 ${end.p50?.toFixed(0)} ms, ${end.failed} given up by the client, ${end.unsent} not sent`);
    const done = samples.reduce((sum, s) => sum + s.doneRate * (SAMPLE_MS / 1000), 0);
    note(`CPU-ms per workflow done: ${cpuText(spent, done)}; together ${(total(spent) / done).toFixed(2)}, at best ${cpuAtBest.toFixed(2)}`);
  },
);
