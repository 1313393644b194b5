/**
 * Closed-loop benchmark of any server of the open workflow API.
 *
 *   node bench/run.mjs                                   an engine of its own on a PostgreSQL of its own, our SDK
 *   node bench/run.mjs --sdk both --seconds 8            both SDKs, one after the other, on the same engine
 *   node bench/run.mjs --address 127.0.0.1:7233          a server that runs already
 *
 * Options: --scenario a,b,… (one-activity, sequential, ten-step, signal) --sdk ours|official|both --seconds n --in-flight n
 * --limit n (workflows a scenario at most) --address host:port --database-url url --json file --client-sdk ours|official (another than the worker's)
 * --profile folder (writes CPU profiles of engine, worker and client there)
 * Prints a table: workflows and steps a second, latencies, and CPU milliseconds of each process per workflow; and the raw limits of
 * the machine in the same run.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { startChild } from './lib/children.mjs';
import { startEngine } from './lib/engine.mjs';
import { commitsPerSecond, unaryCallsPerSecond } from './lib/limits.mjs';
import { cpuMs, postgresCpuMs, residentMiB } from './lib/processes.mjs';
import { row, table } from './lib/report.mjs';
import { scenarios } from './lib/scenarios.mjs';

const { values: options } = parseArgs({
  options: {
    scenario: { type: 'string', default: Object.keys(scenarios).join(',') },
    sdk: { type: 'string', default: 'ours' },
    'client-sdk': { type: 'string' },
    seconds: { type: 'string', default: '6' },
    'in-flight': { type: 'string' },
    limit: { type: 'string', default: '1000000' },
    address: { type: 'string' },
    'database-url': { type: 'string' },
    json: { type: 'string' },
    profile: { type: 'string' },
  },
});
const seconds = Number(options.seconds);
const WARM_UP_WORKFLOWS = 1_500;
const sdks = options.sdk === 'both' ? ['official', 'ours'] : [options.sdk];

async function measure(engine, client, worker, sdk, name) {
  const scenario = scenarios[name];
  if (!scenario) throw new Error(`Unknown --scenario: expected ${Object.keys(scenarios).join(', ')}, got ${name}`);
  const inFlight = scenario.inFlight === 1 ? 1 : Number(options['in-flight'] ?? scenario.inFlight);
  const work = { scenario: name, inFlight, limit: Number(options.limit) };
  // Until the code is compiled: JavaScript pays for that in its first thousand workflows.
  await client.ask({ ...work, limit: Math.min(WARM_UP_WORKFLOWS, work.limit), seconds: seconds * 2 });
  const read = () => ({
    engine: cpuMs(engine.enginePid),
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
      `${sdk}: resident worker ${Math.round(residentMiB(worker.pid) ?? 0)} MiB, engine ${Math.round(residentMiB(engine.enginePid) ?? 0)} MiB`,
    );
  } finally {
    await client.end();
    await worker.end();
  }
}

const engine = await startEngine({ address: options.address, databaseUrl: options['database-url'], profile: options.profile });
const rows = [];
const notes = [`${os.cpus().length} × ${os.cpus()[0].model}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`];
try {
  if (engine.databaseUrl) {
    const { one, eight } = await commitsPerSecond(engine.databaseUrl, Math.min(2, seconds));
    notes.push(`raw PostgreSQL: ${Math.round(one)} commits/s by one connection, ${Math.round(eight)} by eight (one insert of 1 kB each)`);
  }
  const unary = await unaryCallsPerSecond(engine.address, Math.min(2, seconds));
  notes.push(`raw gRPC: ${Math.round(unary)} unary calls/s by a plain grpc-js client (GetSystemInfo, 50 in flight, one connection)`);
  for (const sdk of sdks) await runSdk(engine, sdk, rows, notes);
} finally {
  await engine.stop();
}
console.log(`\n${table(rows)}\n\nCPU in milliseconds per workflow.\n\n${notes.map((note) => `- ${note}`).join('\n')}`);
if (options.json) writeFileSync(options.json, JSON.stringify({ rows, notes }, null, 2));
