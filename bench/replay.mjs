/**
 * What a worker does without a server: bundling workflow code, replaying a long history, and what a cached run costs.
 *
 *   node --expose-gc bench/replay.mjs                     both SDKs, each in a process of its own
 *   node --expose-gc bench/replay.mjs --sdk ours --events 50000
 *   node --expose-gc bench/replay.mjs --json file         the figures, as sdk.mjs takes them
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { sequentialHistory } from './lib/histories.mjs';
import { numeric, readOptions } from './lib/options.mjs';

const NO_SERVER = 'there is no server in it';
const { values: options } = readOptions(
  {
    sdk: { type: 'string', value: 'name', otherwise: 'both', oneOf: ['ours', 'official', 'both'], what: 'ours, official or both' },
    events: numeric(10_000, 4_000, 'of the history that is replayed'),
    runs: numeric(2_000, 1_000, 'that are cached'),
  },
  { address: NO_SERVER, 'database-url': NO_SERVER, profile: NO_SERVER },
);
const workflows = (name) => fileURLToPath(new URL(`./workflows/${name}.mjs`, import.meta.url));

/** Wall and CPU milliseconds of the quickest of several goes. */
async function best(times, fn) {
  let found;
  for (let i = 0; i < times; i++) {
    const [startedMs, cpu] = [performance.now(), process.cpuUsage()];
    await fn();
    const used = process.cpuUsage(cpu);
    const result = { wallMs: performance.now() - startedMs, cpuMs: (used.user + used.system) / 1000 };
    if (!found || result.wallMs < found.wallMs) found = result;
  }
  return found;
}

async function measure(name) {
  const { bundleWorkflowCode, DefaultLogger, Runtime, Worker } = await import(
    name === 'ours' ? '@perdure/sdk/worker' : '@temporalio/worker'
  );
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger });
  const bundle = (file) => bundleWorkflowCode({ workflowsPath: workflows(`${file}.${name}`), logger });
  const figures = {
    'bundle a small workflow, first': await best(1, () => bundle('many-steps')),
    'bundle a workflow with zod, first': await best(1, () => bundle('with-zod')),
    'bundle a workflow with zod, again': await best(3, () => bundle('with-zod')),
  };
  const workflowBundle = await bundle('many-steps');
  const history = sequentialHistory('manySteps', Math.floor((options.events - 5) / 6));
  figures[`replay ${history.events.length} events`] = await best(5, () =>
    Worker.runReplayHistory({ workflowBundle }, structuredClone(history)),
  );
  if (name === 'ours') {
    const { cachedRuns } = await import('./lib/cached-runs.mjs');
    for (const [what, file] of [
      ['small run', 'ours'],
      ['small run with zod', 'with-zod.ours'],
    ]) {
      figures[`cached ${what}`] = await cachedRuns(workflows(file), 'oneActivity', options.runs);
    }
  }
  return figures;
}

if (process.env.BENCH_REPLAY_SDK) {
  process.stdout.write(JSON.stringify(await measure(process.env.BENCH_REPLAY_SDK)));
  process.exit(0);
}

const shown = ({ wallMs, cpuMs, heapBytes, cpuUs }) =>
  heapBytes === undefined
    ? `${wallMs.toFixed(0)} ms (CPU ${cpuMs.toFixed(0)} ms)`
    : `${(heapBytes / 1024).toFixed(1)} kB of heap each, first task ${cpuUs.toFixed(0)} µs of CPU`;

console.log(`${os.cpus().length} × ${os.cpus()[0]?.model}, Node ${process.version}, load average ${os.loadavg()[0].toFixed(1)}`);
const all = {};
for (const name of options.sdk === 'both' ? ['official', 'ours'] : [options.sdk]) {
  const env = { ...process.env, BENCH_REPLAY_SDK: name };
  all[name] = JSON.parse(execFileSync(process.execPath, ['--expose-gc', ...process.argv.slice(1)], { env, stdio: ['ignore', 'pipe', 'ignore'] }));
  for (const [what, figure] of Object.entries(all[name])) console.log(`- ${name}: ${what}: ${shown(figure)}`);
}
if (options.json) writeFileSync(options.json, JSON.stringify(all, null, 2));
