/** Test environments that skip time: ours, and the official one with `perdure` in the place of its test server. */
import { fileURLToPath } from 'node:url';
import * as officialActivity from '@temporalio/activity';
import * as officialTesting from '@temporalio/testing';
import * as officialWorker from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as ourActivity from '../../worker-sdk/activity/index.js';
import * as ourTesting from '../../worker-sdk/testing/index.js';
import * as ourWorker from '../../worker-sdk/worker/index.js';
import { installOfficialRuntime, installOurRuntime } from './sdk/kits.js';
import type { month, patient, race, reminders, WaitingActivities, wrong } from './sdk/waiting.js';

type Env = ourTesting.TestWorkflowEnvironment;
const DAY_MS = 86_400_000;
const taskQueue = 'test';
const workflowsPath = fileURLToPath(new URL('./sdk/waiting.ts', import.meta.url));
const perdure = fileURLToPath(new URL('../../cli/bin/perdure.js', import.meta.url));

const activitiesFor = (env: Env, attempt: () => number): WaitingActivities => ({
  remind: async () => undefined,
  slow: () => env.sleep('1 hour'),
  async flaky(failures) {
    if (attempt() <= failures) throw new Error('not yet');
    return attempt();
  },
});

/** Either SDK's environment has our type as far as the tests go. */
const kits = {
  async '@perdure/sdk'() {
    installOurRuntime();
    const env = await ourTesting.TestWorkflowEnvironment.createTimeSkipping({ server: { extraArgs: ['--log-level', 'error'] } });
    const worker = await ourWorker.Worker.create({
      connection: env.nativeConnection,
      taskQueue,
      workflowsPath,
      activities: activitiesFor(env, () => ourActivity.Context.current().info.attempt),
      interceptors: { workflowModules: ourTesting.workflowInterceptorModules },
    });
    return { env, worker };
  },
  async '@temporalio/testing'() {
    installOfficialRuntime();
    const executable = { type: 'existing-path', path: perdure } as const;
    const env = await officialTesting.TestWorkflowEnvironment.createTimeSkipping({ server: { executable, extraArgs: ['--log-level', 'error'] } });
    const worker = await officialWorker.Worker.create({
      connection: env.nativeConnection,
      taskQueue,
      workflowsPath,
      activities: activitiesFor(env as unknown as Env, () => officialActivity.Context.current().info.attempt),
      interceptors: { workflowModules: officialTesting.workflowInterceptorModules },
      bundlerOptions: {
        webpackConfigHook(config) {
          config.resolve ??= {};
          config.resolve.alias = { ...config.resolve.alias, '@perdure/sdk/workflow': '@temporalio/workflow' };
          return config;
        },
      },
    });
    return { env: env as unknown as Env, worker };
  },
};

describe.each(Object.entries(kits))('a test environment of %s', (_name, make) => {
  let env: Env;
  let stop: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    const made = await make();
    env = made.env;
    const run = made.worker.run();
    stop = async () => {
      made.worker.shutdown();
      await run;
      await env.teardown();
    };
  }, 90_000);
  afterAll(() => stop?.());

  const options = (workflowId: string) => ({ taskQueue, workflowId, args: [] as [] });

  test('a workflow that sleeps a month is over in no time', async () => {
    const before = Date.now();
    expect(await env.client.workflow.execute<typeof month>('month', options('month'))).toBe(30);
    expect(Date.now() - before).toBeLessThan(10_000);
    expect((await env.currentTimeMs()) - Date.now()).toBeGreaterThanOrEqual(30 * DAY_MS - 1_000);
    const { startTime, closeTime } = await env.client.workflow.getHandle('month').describe();
    expect(closeTime!.getTime() - startTime.getTime()).toBeGreaterThanOrEqual(30 * DAY_MS);
  });

  test('children take their time as well', async () => {
    expect(await env.client.workflow.execute('parentOfMonth', options('parent'))).toBe(60);
  });

  test('a test walks through the days and looks on', async () => {
    const handle = await env.client.workflow.start<typeof reminders>('reminders', { taskQueue, workflowId: 'reminders', args: [30] });
    for (let day = 1; day <= 3; day++) {
      await env.sleep('1 day');
      await env.sleep('1 minute'); // what the activity takes is real time
      expect(await handle.query('sent')).toBe(day);
    }
    await handle.signal('answer', 'yes');
    expect(await handle.result()).toBe('yes');
    expect(await handle.query('sent')).toBe(3);
  });

  test('an activity that plays a slow one loses against a timer', async () => {
    expect(await env.client.workflow.execute<typeof race>('race', options('race'))).toBe('timer');
  });

  test('retries wait as long as they say', async () => {
    const result = await env.client.workflow.execute<typeof patient>('patient', { taskQueue, workflowId: 'patient', args: [6] });
    expect(result).toEqual({ attempts: 7, hours: 1 + 2 + 4 + 8 + 16 + 24 });
  });

  test('many results are awaited at once', async () => {
    const run = (n: number) => env.client.workflow.execute<typeof reminders>('reminders', { taskQueue, workflowId: `many-${n}`, args: [5] });
    expect(await Promise.all(Array.from({ length: 20 }, (_, n) => run(n)))).toEqual(Array(20).fill('nobody answered'));
    // nothing that ran was skipped over: no task was lost or timed out on the way
    const { events } = await env.client.workflow.getHandle('many-7').fetchHistory();
    expect(events!.filter((e) => e.workflowTaskTimedOutEventAttributes || e.activityTaskTimedOutEventAttributes)).toEqual([]);
  });

  test('an assertion that fails in a workflow fails it', async () => {
    const failed = await env.client.workflow.execute<typeof wrong>('wrong', options('wrong')).catch((err: Error) => err);
    expect(failed).toMatchObject({ name: 'WorkflowFailedError', cause: { message: expect.stringContaining('2 == 3') } });
  });
});
