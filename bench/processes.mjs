/**
 * Several engine processes behind one port: workflows a second and CPU for 1, 2 and 4. On two cores the rate says little (worker, client and PostgreSQL want
 * their share); what a workflow costs at N over what it costs at 1 says what it would be on more. Four workers and four clients, then one of each: a connection
 * each. With `spread` all processes take part at once, whether or not one could do the work: what a workflow costs on a machine that needs them all.
 *
 *   node bench/processes.mjs --seconds 8
 *   node bench/processes.mjs --processes 1,4 --pairs 4 --spread 4 --sdk official
 */
import { startPair } from './lib/children.mjs';
import { bench } from './lib/ending.mjs';
import { startEngine } from './lib/engine.mjs';
import { cpuMeter, cpuText, report, serverCpu } from './lib/frame.mjs';
import { rawLimits } from './lib/limits.mjs';
import { misused, numeric, readOptions } from './lib/options.mjs';
import { familyResidentMiB } from './lib/processes.mjs';

const IN_FLIGHT = 52;
const GATHERED_S = 15;

const { values } = readOptions(
  {
    seconds: numeric(8, 4, 'how long each is measured'),
    processes: { type: 'string', value: 'n,…', otherwise: '1,2,4', what: 'how many, one measurement each' },
    pairs: { type: 'string', value: 'n,…', otherwise: '4,1', what: 'so many workers and as many clients, all of the above for each' },
    spread: { type: 'string', value: 'n,…', otherwise: '4', what: 'how many that all take part at once' },
    sdk: { type: 'string', value: 'name', otherwise: 'ours', oneOf: ['ours', 'official'], what: 'ours or official' },
  },
  { address: 'it starts engines of its own', profile: 'there are several engines' },
);
const { seconds } = values;

/** Numbers with commas. */
function numbers(name) {
  const found = values[name].split(',').filter(Boolean).map(Number);
  return found.every((n) => Number.isInteger(n) && n > 0) ? found : misused(`--${name}: expected numbers with commas, got ${values[name]}`);
}
const [processCounts, pairCounts, spreadCounts] = ['processes', 'pairs', 'spread'].map(numbers);
const figures = [];
const notes = [];

/** What a workflow costs the server, and how many there are a second. */
async function measure(flags, pairCount) {
  const engine = await startEngine({ databaseUrl: values['database-url'], flags });
  try {
    if (notes.length === 0) notes.push(...(await rawLimits(engine)));
    const pairs = await Promise.all(Array.from({ length: pairCount }, () => startPair(engine.address, { sdk: values.sdk })));
    const all = (message) => Promise.all(pairs.map((pair) => pair.client.ask(message)));
    const work = { scenario: 'one-activity', inFlight: Math.ceil(IN_FLIGHT / pairCount) };
    // until the code of every process is compiled; where all take part, until callers were brought to the processes of their workers as well
    const untilReady = flags.includes('spread') ? { limit: 1_000_000, seconds: GATHERED_S } : { limit: Math.ceil(2_000 / pairCount), seconds: seconds * 3 };
    await all({ ...work, ...untilReady });
    const cpu = cpuMeter(engine, Object.fromEntries(pairs.flatMap((pair, i) => [[`worker ${i + 1}`, pair.worker.pid], [`client ${i + 1}`, pair.client.pid]])));
    const results = await all({ ...work, limit: 1_000_000, seconds });
    const spent = cpu.take();
    const count = results.reduce((sum, { result }) => sum + result.latencies.length, 0);
    const perSecond = results.reduce((sum, { result }) => sum + (result.latencies.length / result.elapsedMs) * 1000, 0);
    notes.push(`${flags.join(' ')}, ${pairCount} of each: CPU-ms per workflow: ${cpuText(spent, count)}; engine resident ${familyResidentMiB(engine.enginePid)?.toFixed(0)} MiB`);
    for (const pair of pairs) await pair.end();
    return { cost: serverCpu(spent) / count, perSecond };
  } finally {
    await engine.stop();
  }
}

await bench(async () => {
  for (const pairCount of pairCounts) {
    let alone;
    const show = async (processes, placement) => {
      const { cost, perSecond } = await measure(['--processes', String(processes), '--placement', placement], pairCount);
      alone ??= cost;
      const more = processes === 4 && placement === 'packed' ? { atMost: 1.15 } : {};
      const who = `${processes} process${processes > 1 ? 'es' : ''}${placement === 'spread' ? ', all at once' : ''}, ${pairCount} worker${pairCount > 1 ? 's' : ''} and client${pairCount > 1 ? 's' : ''}`;
      figures.push({ what: `${who}: CPU of engine and PostgreSQL per workflow, over that of the first`, value: cost / alone, ...more, note: `${perSecond.toFixed(0)} workflows/s, ${cost.toFixed(2)} ms` });
    };
    for (const processes of processCounts) await show(processes, 'packed');
    for (const processes of spreadCounts) await show(processes, 'spread');
  }
  report(`Engine processes behind one port (${IN_FLIGHT} in flight)`, figures, notes, values.json);
});
