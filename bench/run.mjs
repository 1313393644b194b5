/**
 * Closed-loop benchmark of any server of the open workflow API.
 *
 *   node bench/run.mjs                                   an engine of its own on a PostgreSQL of its own, our SDK
 *   node bench/run.mjs --sdk both --seconds 8            both SDKs, one after the other, on the same engine
 *   node bench/run.mjs --address 127.0.0.1:7233          a server that runs already
 *
 * Prints a table: workflows and steps a second, latencies, and CPU milliseconds of each process per workflow; the goals; and the raw limits of
 * the machine in the same run.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { startChild } from './lib/children.mjs';
import { bench } from './lib/ending.mjs';
import { startEngine } from './lib/engine.mjs';
import { figuresTable, machine } from './lib/frame.mjs';
import { rawLimits } from './lib/limits.mjs';
import { numeric, readOptions } from './lib/options.mjs';
import { cpuMs, familyCpuMs, familyResidentMiB, postgresCpuMs, residentMiB } from './lib/processes.mjs';
import { row, table } from './lib/report.mjs';
import { scenarios } from './lib/scenarios.mjs';
import { goalLines } from './lib/workflow-goals.mjs';

const SCENARIOS = Object.keys(scenarios).filter((name) => name !== 'payloads'); // payloads.mjs has them, in several sizes
const SDKS = ['ours', 'official'];
const { values: options } = readOptions({
  scenario: { type: 'string', value: 'a,b,…', otherwise: SCENARIOS.join(','), oneOf: SCENARIOS, several: true, what: 'what is measured' },
  sdk: { type: 'string', value: 'name', otherwise: 'ours', oneOf: [...SDKS, 'both'], what: 'ours, official or both' },
  'client-sdk': { type: 'string', value: 'name', oneOf: SDKS, what: "that of the client, where it is another than the worker's" },
  seconds: numeric(6, 3, 'how long each scenario is measured'),
  'in-flight': { type: 'number', value: 'n', what: 'workflows in flight (default: that of the scenario)' },
  limit: { type: 'number', value: 'n', otherwise: 1_000_000, what: 'workflows a scenario at most' },
});
const { seconds } = options;
const WARM_UP_WORKFLOWS = 1_500;
const sdks = options.sdk === 'both' ? ['official', 'ours'] : [options.sdk];

async function measure(engine, client, worker, sdk, name) {
  const scenario = scenarios[name];
  const inFlight = scenario.inFlight === 1 ? 1 : (options['in-flight'] ?? scenario.inFlight);
  const work = { scenario: name, inFlight, limit: options.limit };
  // Until the code is compiled: JavaScript pays for that in its first thousand workflows.
  await client.ask({ ...work, limit: Math.min(WARM_UP_WORKFLOWS, work.limit), seconds: seconds * 2 });
  const read = () => ({
    engine: familyCpuMs(engine.enginePid),
    postgres: postgresCpuMs(engine.postgresRoot),
    worker: cpuMs(worker.pid),
    client: cpuMs(client.pid),
  });
  const before = read();
  const { result } = await client.ask({ ...work, seconds });
  const after = read();
  const cpu = Object.fromEntries(
    Object.keys(after).map((key) => [key, after[key] === undefined ? undefined : after[key] - (before[key] ?? 0)]),
  );
  return row({ sdk, scenario: name, inFlight, stepsPerWorkflow: scenario.stepsPerWorkflow, ...result, cpu });
}

async function runSdk(engine, sdk, rows, notes) {
  const queue = `bench-${randomUUID()}`;
  const worker = await startChild('worker.mjs', [sdk, engine.address, queue], options);
  const client = await startChild('client.mjs', [options['client-sdk'] ?? sdk, engine.address, queue], options);
  notes.push(`${sdk}: worker ready ${Math.round(worker.ready.sinceProcessStartMs)} ms after its process began`);
  try {
    for (const name of options.scenario.split(',')) {
      const measured = await measure(engine, client, worker, sdk, name);
      rows.push(measured);
      console.error(`${sdk} ${name}: ${measured.perSecond.toFixed(1)} workflows/s, p50 ${measured.p50.toFixed(1)} ms`);
    }
    const { result } = await client.ask({ kind: 'calls', inFlight: 50, seconds: Math.min(2, seconds) });
    notes.push(
      `${sdk}: ${Math.round((result.count / result.elapsedMs) * 1000)} calls/s by the SDK (GetSystemInfo, 50 in flight, one connection)`,
    );
    notes.push(
      `${sdk}: resident worker ${Math.round(residentMiB(worker.pid) ?? 0)} MiB, engine ${familyResidentMiB(engine.enginePid)?.toFixed(0) ?? '–'} MiB`,
    );
  } finally {
    await client.end();
    await worker.end();
  }
}

await bench(async () => {
  const engine = await startEngine({ address: options.address, databaseUrl: options['database-url'], profile: options.profile });
  const rows = [];
  const notes = [machine()];
  try {
    notes.push(...(await rawLimits(engine, Math.min(2, seconds))));
    for (const sdk of sdks) await runSdk(engine, sdk, rows, notes);
  } finally {
    await engine.stop();
  }
  const lines = goalLines(rows);
  console.log(`\n${table(rows)}\n\nCPU in milliseconds per workflow.\n\n${lines.length > 0 ? `${figuresTable(lines)}\n\n` : ''}${notes.map((note) => `- ${note}`).join('\n')}`);
  if (options.json) writeFileSync(options.json, JSON.stringify({ rows, lines, notes }, null, 2));
});
