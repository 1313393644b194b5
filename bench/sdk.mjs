/**
 * Our SDK beside the official one, on the same engine in the same run: what a workflow and a step cost worker and client, how soon a worker polls, what a
 * waiting run holds, what is installed, how long bundling and replaying take.
 *
 *   node bench/sdk.mjs                            an engine of its own
 *   node bench/sdk.mjs --rounds 3 --seconds 5     rounds take turns, so that both SDKs see the same machine
 *   node bench/sdk.mjs --address 127.0.0.1:7233   a server that runs already
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild, startPair } from './lib/children.mjs';
import { benchRow } from './lib/frame.mjs';
import { numeric } from './lib/options.mjs';
import { installSize } from './lib/install-size.mjs';
import { cpuMs, residentMiB } from './lib/processes.mjs';
import { percentile } from './lib/report.mjs';
import { sdk } from './lib/sdks.mjs';

const SDKS = ['official', 'ours'];
const PACKAGES = {
  official: ['@temporalio/client', '@temporalio/worker', '@temporalio/workflow', '@temporalio/activity', '@temporalio/common'],
  ours: ['@perdure/sdk'],
};
const STARTS = 3;
/** Waiting runs: memory is the difference between the two, in which what a worker holds anyway is not. */
const FEW = 500;
const MANY = 2_000;

/** Workflows of a scenario, by turns: CPU and results of all rounds together. */
async function takeTurns(pairs, scenario, { rounds, seconds, inFlight }, progress) {
  const sums = Object.fromEntries(SDKS.map((name) => [name, { count: 0, elapsedMs: 0, worker: 0, client: 0, latencies: [] }]));
  for (const name of SDKS) await pairs[name].client.ask({ scenario, inFlight, seconds: 30, limit: scenario === 'ten-step' ? 300 : 1_500 });
  for (let round = 0; round < rounds; round++) {
    for (const name of SDKS) {
      const { worker, client } = pairs[name];
      const before = [cpuMs(worker.pid), cpuMs(client.pid)];
      const { result } = await client.ask({ scenario, inFlight, seconds, limit: 1e9 });
      const sum = sums[name];
      sum.worker += cpuMs(worker.pid) - before[0];
      sum.client += cpuMs(client.pid) - before[1];
      sum.count += result.latencies.length;
      sum.elapsedMs += result.elapsedMs;
      sum.latencies.push(...result.latencies);
    }
    progress(`${scenario}: round ${round + 1} of ${rounds}`);
  }
  for (const sum of Object.values(sums)) {
    sum.worker /= sum.count;
    sum.client /= sum.count;
    sum.perSecond = (sum.count / sum.elapsedMs) * 1000;
    sum.p50 = percentile([...sum.latencies].sort((a, b) => a - b), 0.5);
  }
  return sums;
}

/** The quickest of several starts, from the beginning of the process to the first poll. */
async function start(address, name) {
  let best;
  for (let i = 0; i < STARTS; i++) {
    const worker = await startChild('worker.mjs', [name, address, `start-${process.pid}-${name}-${i}`]);
    const found = { readyMs: worker.ready.sinceProcessStartMs, cpuMs: cpuMs(worker.pid) };
    await worker.end();
    if (!best || found.readyMs < best.readyMs) best = found;
  }
  return best;
}

/** Resident kB that one more waiting run costs a worker. */
async function waitingRuns(address, name) {
  const taskQueue = `waiting-${process.pid}-${name}`;
  const worker = await startChild('worker.mjs', [name, address, taskQueue, String(MANY * 2)]);
  const { client, close } = await sdk('ours').client(address);
  const handles = [];
  const reach = async (count) => {
    while (handles.length < count) {
      const ids = Array.from({ length: 50 }, (_, i) => `${taskQueue}-${handles.length + i}`);
      handles.push(...(await Promise.all(ids.map((workflowId) => client.workflow.start('untilSignal', { taskQueue, workflowId, args: [] })))));
    }
    for (const handle of handles.slice(-50)) {
      while (!(await handle.fetchHistory()).events.some((event) => event.workflowTaskCompletedEventAttributes)) await sleep(20);
    }
    await sleep(2_000); // for memory to come back
    return residentMiB(worker.pid);
  };
  const few = await reach(FEW);
  const many = await reach(MANY);
  await Promise.all(handles.map((handle) => handle.terminate()));
  await close();
  await worker.end();
  return ((many - few) * 1024) / (MANY - FEW);
}

/** Bundling and replay, which need no server. */
function withoutServer() {
  const folder = mkdtempSync(join(os.tmpdir(), 'perdure-bench-'));
  try {
    const json = join(folder, 'replay.json');
    execFileSync(process.execPath, ['--expose-gc', fileURLToPath(new URL('./replay.mjs', import.meta.url)), '--json', json], { stdio: 'ignore' });
    return JSON.parse(readFileSync(json, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await benchRow({ title: 'Our SDK beside the official one', options: { rounds: numeric(3, 2, 'how often the two take turns'), seconds: numeric(5, 3, 'a turn') } }, async ({ engine, number, figure, note, progress }) => {
  const turns = { rounds: number('rounds'), seconds: number('seconds'), inFlight: 50 };
  const { address } = engine;
  /** A figure of ours with that of the official SDK beside it. */
  const beside = (what, both, unit, goal = {}, digits = 2) => {
    const { official, ours } = both;
    const { atMostShare, ...rest } = goal;
    const share = official === undefined ? '' : `official ${official.toFixed(digits)}${unit && ` ${unit}`}; ${((ours / official) * 100).toFixed(0)} %`;
    figure({ what, value: ours, unit, note: share, ...rest });
    if (atMostShare !== undefined) figure({ what: `${what}, share of the official`, value: ours / official, atMost: atMostShare });
  };
  const each = async (measure) => {
    const found = {};
    for (const name of SDKS) found[name] = await measure(name);
    return found;
  };

  const starts = await each((name) => start(address, name));
  progress('starts measured');
  const pairs = await each((name) => startPair(address, { sdk: name }));
  try {
    const one = await takeTurns(pairs, 'one-activity', turns, progress);
    const ten = await takeTurns(pairs, 'ten-step', turns, progress);
    const of = (sums, value) => Object.fromEntries(SDKS.map((name) => [name, value(sums[name])]));
    beside('one-activity workflows a second, 50 in flight', of(one, (sum) => sum.perSecond), '', {}, 0);
    beside('one-activity workflow, p50', of(one, (sum) => sum.p50), 'ms', {}, 0);
    beside('CPU of worker and client per one-activity workflow', of(one, (sum) => sum.worker + sum.client), 'ms', { atMostShare: 0.2 });
    beside('of it the worker', of(one, (sum) => sum.worker), 'ms');
    beside('CPU of worker and client per step of ten', of(ten, (sum) => (sum.worker + sum.client) / 10), 'ms', { atMostShare: 0.2 });
  } finally {
    for (const pair of Object.values(pairs)) await pair.end();
  }
  beside('start of the worker process to its first poll', { official: starts.official.readyMs, ours: starts.ours.readyMs }, 'ms', { atMost: 1_000 }, 0);
  beside('CPU until then', { official: starts.official.cpuMs, ours: starts.ours.cpuMs }, 'ms', {}, 0);
  beside(`resident memory of one more waiting run (${FEW} to ${MANY})`, await each((name) => waitingRuns(address, name)), 'kB', {}, 0);
  progress('memory measured');

  const replay = withoutServer();
  const both = (what, value) => Object.fromEntries(SDKS.map((name) => [name, value(replay[name][what])]));
  const replayed = Object.keys(replay.ours).find((what) => what.startsWith('replay'));
  figure({ what: 'heap of a cached small run', value: replay.ours['cached small run'].heapBytes / 1024, unit: 'kB', atMost: 60 });
  figure({ what: 'heap of a cached small run with zod', value: replay.ours['cached small run with zod'].heapBytes / 1024, unit: 'kB', atMost: 60 });
  beside('bundle a small workflow, first', both('bundle a small workflow, first', (f) => f.wallMs), 'ms', {}, 0);
  beside('bundle a workflow with zod, first', both('bundle a workflow with zod, first', (f) => f.wallMs), 'ms', {}, 0);
  beside(replayed, both(replayed, (f) => f.wallMs), 'ms', {}, 0);
  beside('CPU of it', both(replayed, (f) => f.cpuMs), 'ms', {}, 0);
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const sizes = Object.fromEntries(SDKS.map((name) => [name, installSize(PACKAGES[name], root)]));
  beside('installed, with all dependencies', { official: sizes.official.bytes / 2 ** 20, ours: sizes.ours.bytes / 2 ** 20 }, 'MiB', {}, 0);
  beside('packages installed', { official: sizes.official.packages, ours: sizes.ours.packages }, '', {}, 0);
  note('ratios hold within the run; rates and times depend on what else the machine does');
});
