/**
 * Several engine processes behind one port: workflows a second and CPU for 1, 2 and 4. On two cores the rate says little (worker, client and PostgreSQL want
 * their share); what a workflow costs at N over what it costs at 1 says what it would be on more.
 *
 *   node bench/processes.mjs --seconds 8
 */
import { startPair } from './lib/children.mjs';
import { startEngine } from './lib/engine.mjs';
import { cpuMeter, cpuText, readOptions, report, serverCpu } from './lib/frame.mjs';
import { rawLimits } from './lib/limits.mjs';
import { familyResidentMiB } from './lib/processes.mjs';

const { values, number } = readOptions({ processes: { type: 'string' } });
const seconds = number('seconds', 8);
const wanted = (values.processes ?? '1,2,4').split(',').map(Number);
const figures = [];
const notes = [];
let alone;
for (const processes of wanted) {
  const engine = await startEngine({ databaseUrl: values['database-url'], flags: ['--processes', String(processes)] });
  try {
    if (!alone) notes.push(...(await rawLimits(engine)));
    // connections are shared out among the processes, so there must be several of each kind
    const pairs = await Promise.all(Array.from({ length: 4 }, () => startPair(engine.address)));
    const all = (message) => Promise.all(pairs.map((pair) => pair.client.ask(message)));
    const work = { scenario: 'one-activity', inFlight: 13 };
    await all({ ...work, limit: 500, seconds: seconds * 3 }); // until the code of every process is compiled
    const cpu = cpuMeter(engine, Object.fromEntries(pairs.flatMap((pair, i) => [[`worker ${i + 1}`, pair.worker.pid], [`client ${i + 1}`, pair.client.pid]])));
    const results = await all({ ...work, limit: 1_000_000, seconds });
    const spent = cpu.take();
    const count = results.reduce((sum, { result }) => sum + result.latencies.length, 0);
    const perSecond = results.reduce((sum, { result }) => sum + (result.latencies.length / result.elapsedMs) * 1000, 0);
    const cost = serverCpu(spent) / count;
    alone ??= cost;
    const more = processes === 1 ? {} : { atMost: processes === 4 ? 1.15 : undefined };
    figures.push({ what: `${processes} process${processes > 1 ? 'es' : ''}: CPU of engine and PostgreSQL per workflow, over that at ${wanted[0]}`, value: cost / alone, ...more, note: `${perSecond.toFixed(0)} workflows/s` });
    notes.push(`${processes}: CPU-ms per workflow: ${cpuText(spent, count)}; engine resident ${familyResidentMiB(engine.enginePid)?.toFixed(0)} MiB`);
    for (const pair of pairs) await pair.end();
  } finally {
    await engine.stop();
  }
}
report('Engine processes behind one port (4 workers, 4 clients, 52 in flight)', figures, notes, values.json);
