/**
 * Four ways of being too much, each by plain grpc-js clients on an engine of its own: consumers that are slower than what comes, a burst of starts, a namespace
 * that floods while another works, and more long polls than are held.
 *
 *   node bench/overload-cases.mjs
 *   node bench/overload-cases.mjs --only burst,polls --seconds 10
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild, startPair } from './lib/children.mjs';
import { metric, startEngine } from './lib/engine.mjs';
import { bench } from './lib/ending.mjs';
import { report } from './lib/frame.mjs';
import { numeric, readOptions } from './lib/options.mjs';
import { PlainConnection } from './lib/plain-client.mjs';
import { residentMiB } from './lib/processes.mjs';

const CASES = ['slow', 'burst', 'calm', 'polls'];
const { values, number } = readOptions(
  {
    seconds: numeric(12, 6, 'how long each takes, more or less'),
    count: numeric(20_000, 20_000, 'starts in the burst'),
    only: { type: 'string', value: 'names', otherwise: CASES.join(','), oneOf: CASES, several: true, what: 'some of the cases' },
  },
  { address: 'each case has an engine of its own' },
);
const seconds = number('seconds');
const figures = [];
const notes = [];
const figure = (what, value, unit, goal = {}, note = '') => figures.push({ what, value, unit, ...goal, note });
const per = (count, ms) => (count / ms) * 1000;

/** Highest resident memory while `work` goes on. */
async function peakMiB(engine, work) {
  let peak = residentMiB(engine.enginePid) ?? 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, residentMiB(engine.enginePid) ?? 0);
  }, 250);
  const result = await work().finally(() => clearInterval(timer));
  return { ...result, peak };
}

const cases = {
  /** Consumers take a third of what comes: all of it is taken in, at the same pace from beginning to end. */
  async slow(engine) {
    const PER_S = 300;
    const consumer = await startChild('raw-load.mjs', [engine.address]);
    await consumer.ask({ kind: 'consume', pollers: 4, spendMs: 40, queue: 'slow' });
    const load = await startChild('raw-load.mjs', [engine.address]);
    const part = () => load.ask({ kind: 'drive', perSecond: PER_S, seconds: seconds / 3, over: 4, queue: 'slow' });
    const parts = [await part(), await part(), await part()];
    const { count } = await consumer.ask({ kind: 'consumed' });
    await Promise.all([consumer.end(), load.end()]);
    const refused = parts.reduce((sum, p) => sum + p.refused + p.failed, 0);
    const rates = parts.map((p) => per(p.started, p.elapsedMs));
    figure('slow consumers: starts refused or failed', refused, '', { atMost: 0 }, `${PER_S} starts/s come, ${per(count, seconds * 1000).toFixed(0)} workflows/s go`);
    figure('slow consumers: rate of starts, last third over first', rates[2] / rates[0], '', { atLeast: 0.95 }, `${rates.map((r) => r.toFixed(0)).join(', ')}/s, p95 ${parts.map((p) => p.p95.toFixed(0)).join(', ')} ms`);
  },

  async burst(engine) {
    const COUNT = number('count');
    const load = await startChild('raw-load.mjs', [engine.address]);
    const { started, refused, other, p50, p95, lastMs, peak } = await peakMiB(engine, () => load.ask({ kind: 'burst', count: COUNT, over: 200, queue: 'burst' }));
    await load.end();
    figure(`burst of ${COUNT} starts on 200 connections: not begun in the end`, COUNT - started, '', { atMost: 0 }, JSON.stringify(other));
    figure('burst: all begun after', lastMs / 1000, 's', {}, `p50 ${(p50 / 1000).toFixed(1)} s, p95 ${(p95 / 1000).toFixed(1)} s, ${refused} refused and come again`);
    figure('burst: most resident memory of the engine', peak, 'MiB');
  },

  /** Five workflows a second in one namespace, alone and then beside a flood in another. */
  async calm(engine) {
    const admin = new PlainConnection(engine.address);
    await admin.call('RegisterNamespace', { namespace: 'calm', workflowExecutionRetentionPeriod: { seconds: 86_400 } });
    admin.close();
    const calm = await startPair(engine.address, { client: 'open-loop.mjs', namespace: 'calm' });
    const p95 = async (forS) => {
      await calm.client.ask({ kind: 'look' });
      await sleep(forS * 1000);
      return calm.client.ask({ kind: 'look' });
    };
    await calm.client.ask({ kind: 'drive', perSecond: 5 });
    await p95(3);
    const alone = await p95(seconds / 2);
    const storm = await startPair(engine.address, { client: 'open-loop.mjs' });
    await storm.client.ask({ kind: 'drive', perSecond: 2_500 });
    await p95(4);
    const before = (await storm.client.ask({ kind: 'look' })).done;
    const beside = await p95(seconds);
    const { done } = await storm.client.ask({ kind: 'look' });
    await Promise.all([storm.client.end(), calm.client.end()]);
    await Promise.all([storm.worker.end(), calm.worker.end()]);
    figure('five workflows/s beside a flood in another namespace: p95', beside.p95, 'ms', { atMost: 1_000 }, `alone ${alone.p95.toFixed(0)} ms; the flood has 2500 starts/s, of which ${((done - before) / seconds).toFixed(0)}/s finish`);
    figure('five workflows/s beside a flood: given up', beside.failed, '', { atMost: 0 });
  },

  async polls(engine) {
    const load = await startChild('raw-load.mjs', [engine.address]);
    const few = await load.ask({ kind: 'polls', count: 5_000, over: 50, queue: 'idle' });
    await until(async () => (await metric(engine, 'perdure_waiting_calls')) >= 5_000);
    const heldMiB = residentMiB(engine.enginePid);
    const pair = await startPair(engine.address);
    const work = () => pair.client.ask({ scenario: 'one-activity', inFlight: 20, limit: 1_000_000, seconds: seconds / 2 });
    const alone = (await work()).result;
    const { peak, ...beside } = await peakMiB(engine, async () => {
      const all = load.ask({ kind: 'polls', count: 50_000, over: 200, queue: 'idle' });
      const { result } = await work();
      return { result, look: await all };
    });
    const held = await metric(engine, 'perdure_waiting_calls');
    await Promise.all([load.end(), pair.end()]);
    figure('5,000 long polls held, 50,000 more tried: held in the end', held, '', { atMost: 5_100 }, `refused ${beside.look.refused}, answered early ${beside.look.empty}, other ${JSON.stringify(beside.look.other)}`);
    figure('long polls: most resident memory over that with 5,000', peak / heldMiB, '', { atMost: 1.5 }, `${heldMiB.toFixed(0)} → ${peak.toFixed(0)} MiB, refused before ${few.refused}`);
    figure('long polls: workflows/s meanwhile', per(beside.result.latencies.length, beside.result.elapsedMs), '', {}, `before ${per(alone.latencies.length, alone.elapsedMs).toFixed(0)}`);
  },
};

async function until(holds) {
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(50)) if (await holds()) return;
}

const FLAGS = { polls: ['--waiting-calls', '5000'] };
await bench(async () => {
  for (const name of values.only.split(',')) {
    console.error(`Overload: ${name}`);
    const engine = await startEngine({ http: true, flags: FLAGS[name], profile: values.profile, databaseUrl: values['database-url'] });
    try {
      await cases[name](engine);
    } finally {
      await engine.stop();
    }
  }
});
report('Overload: four cases', figures, notes, values.json);
