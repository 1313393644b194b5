// What our worker makes of random programs and random histories, the official worker must be able to replay: both agree on the order of
// everything, down to the turns of the microtask queue.
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createWorkflowHost } from '../../../worker-sdk/replay/create-workflow-host.js';
import { historyToJson } from '../../../worker-sdk/replay/history-json.js';
import type { WorkflowHost } from '../../../worker-sdk/replay/workflow-host.js';
import { HistoryDriver } from './history-driver.js';
import type { Program } from './programs.workflow.js';
import { silentLogger } from './silent-logger.js';

const workflowsPath = fileURLToPath(new URL('./programs.workflow.ts', import.meta.url));
const PROGRAMS = Number(process.env.PERDURE_FUZZ_PROGRAMS ?? 60);
const FIRST_SEED = Number(process.env.PERDURE_FUZZ_SEED ?? 1);

/** A small generator of numbers, so that a seed names a program. */
function generator(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) >>> 0;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const LEAVES = ['sleep', 'activity', 'condition', 'conditionTimeout', 'trigger', 'timeout', 'tick', 'patch', 'waitingActivity', 'abandonedActivity'] as const;

function makeProgram(pick: (below: number) => number, depth: number): Program {
  const child = () => makeProgram(pick, depth - 1);
  const kind = depth <= 0 ? 0 : pick(12);
  if (kind < 2) return { op: LEAVES[pick(LEAVES.length)]! };
  if (kind < 7) return { op: (['all', 'race', 'sequence'] as const)[pick(3)]!, of: Array.from({ length: 1 + pick(3) }, child) };
  if (kind < 10) return { op: (['scope', 'shield', 'try', 'scopeTimeout', 'detached'] as const)[pick(5)]!, of: child() };
  return { op: 'cancelAfter', first: child(), of: child() };
}

/** What can happen to the run next. */
function happen(driver: HistoryDriver, pick: (below: number) => number, step: number): void {
  const pendingTimers = driver.pending('timer');
  const pendingActivities = driver.pending('activity');
  const count = 1 + pick(3);
  for (let i = 0; i < count; i++) {
    const choice = pick(10);
    if (choice < 3 && pendingTimers.length > 0) driver.fireTimer(pendingTimers.splice(pick(pendingTimers.length), 1)[0]!);
    else if (choice < 6 && pendingActivities.length > 0) driver.completeActivity('r', pendingActivities.splice(pick(pendingActivities.length), 1)[0]!);
    else if (choice < 8) driver.signal('poke', `${step}-${i}`);
    else if (choice === 8) driver.update(`u${step}-${i}`, 'tell', pick(4) === 0 ? 'bad' : `${step}-${i}`);
    else if (pick(6) === 0 && !driver.cancelRequested) driver.requestCancel();
  }
}

let host: WorkflowHost;
let officialBundle: { code: string };
beforeAll(async () => {
  host = await createWorkflowHost({
    workflowsPath,
    namespace: 'default',
    taskQueue: 'tq',
    identity: 'test',
    logger: silentLogger,
    runLocalActivity: () => Promise.reject(new Error('none')),
  });
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => undefined),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
  });
  officialBundle = await bundleWorkflowCode({
    workflowsPath,
    logger: new DefaultLogger('ERROR', () => undefined),
    webpackConfigHook: (config) => {
      config.resolve ??= {};
      config.resolve.alias = { ...config.resolve.alias, '@perdure/sdk/workflow': '@temporalio/workflow' };
      return config;
    },
  });
}, 60_000);
afterAll(() => host.dispose());

async function makeHistory(seed: number): Promise<HistoryDriver> {
  const pick = generator(seed);
  const driver = new HistoryDriver(host, 'program', [makeProgram(pick, 4)], { workflowId: `seed-${seed}`, full: pick(3) === 0 });
  driver.signal('poke', 'early');
  for (let step = 0; step < 12 && !driver.closed; step++) {
    // Sometimes the worker forgets the run.
    if (pick(4) === 0) host.evict(driver.runId);
    await driver.task(pick(3) === 0 ? { q: { queryType: 'seen' } } : undefined);
    if (!driver.closed) happen(driver, pick, step);
  }
  return driver;
}

test(`${PROGRAMS} random programs`, { timeout: 300_000 }, async () => {
  const drivers: HistoryDriver[] = [];
  for (let seed = FIRST_SEED; seed < FIRST_SEED + PROGRAMS; seed++) {
    const driver = await makeHistory(seed);
    await driver.replay();
    drivers.push(driver);
  }
  const histories = drivers.map((driver) => ({ workflowId: driver.workflowId, history: historyToJson({ events: driver.completedEvents }) }));
  const results = Worker.runReplayHistories({ workflowBundle: officialBundle }, histories);
  const wrong: string[] = [];
  let replayed = 0;
  for await (const { workflowId, error } of results) {
    replayed++;
    if (error) wrong.push(`${workflowId}: ${error.message.slice(0, 300)}`);
  }
  expect(wrong).toEqual([]);
  expect(replayed).toBe(PROGRAMS);
});
