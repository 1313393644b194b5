/** The test mode of the clock, as a client and a worker of any SDK see it: through gRPC, on the whole server. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { composeEngine } from '../../server/compose-engine.js';
import { readConfig } from '../../server/config.js';
import { systemIds } from '../../server/engine/ids.js';
import type { Logger } from '../../server/log.js';
import { sweepRetentionOnce } from '../../server/loops/retention-sweeper.js';
import { createServer } from '../../server/server.js';
import { useDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';
import { RawClient } from '../transport/raw-client.js';

const WORKFLOWS = 'temporal.api.workflowservice.v1.WorkflowService';
const TESTS = 'temporal.api.testservice.v1.TestService';
const DAY_S = 86_400;
const DAY_MS = DAY_S * 1000;

// biome-ignore lint/suspicious/noExplicitAny: the shape depends on the method's name; tests read the fields they are about.
type Fields = any;

const database = useDatabase();
const quiet = (): void => undefined;
const log = { fatal: quiet, error: quiet, warn: quiet, info: quiet, debug: quiet, trace: quiet, child: () => log } as unknown as Logger;

let raw: RawClient;
let server: Awaited<ReturnType<typeof createServer>>;
/** Workflow id and task queue of the test. */
let id: string;

const start = async (timeSkipping: string, more: object = {}): Promise<void> => {
  const flags = { databaseUrl: database.url, grpcPort: '0', httpPort: 'off', shutdownGraceMs: '200ms', databasePoolSize: '6', timeSkipping, ...more };
  server = await createServer({ config: readConfig({}, flags), log });
  raw = new RawClient((await server.start()).grpcAddress);
};
const stop = async (): Promise<void> => {
  raw.close();
  await server.stop();
};

const rpc = async (method: string, request: object = {}, service = WORKFLOWS, timeoutMs = 20_000): Promise<Fields> => {
  const answer = await raw.call(service, method, service === WORKFLOWS ? { namespace: 'default', identity: 'test', ...request } : request, { timeoutMs });
  if (answer.response === undefined) throw new Error(`${method}: ${answer.code}: ${answer.message}`);
  return answer.response;
};
const test = (method: string, request: object = {}): Promise<Fields> => rpc(method, request, TESTS);
const ms = (time: Fields): number => Number(time?.seconds ?? 0) * 1000 + Number(time?.nanos ?? 0) / 1e6;
const nowMs = async (): Promise<number> => ms((await test('GetCurrentTime')).time);

const begin = (more: object = {}): Promise<Fields> => {
  begun.add(id);
  return rpc('StartWorkflowExecution', { workflowId: id, workflowType: { name: 'T' }, taskQueue: { name: id }, requestId: randomUUID(), ...more });
};
const poll = async (): Promise<Fields> => {
  const task = await rpc('PollWorkflowTaskQueue', { taskQueue: { name: id } });
  expect(task.taskToken?.length, 'a workflow task').toBeGreaterThan(0);
  return task;
};
const answer = (task: Fields, commands: object[] = []): Promise<Fields> => rpc('RespondWorkflowTaskCompleted', { taskToken: task.taskToken, commands });
const step = async (...commands: object[]): Promise<void> => void (await answer(await poll(), commands));
const pollActivity = (): Promise<Fields> => rpc('PollActivityTaskQueue', { taskQueue: { name: id } });
const events = async (): Promise<Fields[]> => (await rpc('GetWorkflowExecutionHistory', { execution: { workflowId: id } })).history.events;
const eventAt = async (type: string): Promise<number> => ms((await events()).find((e) => e.eventType === `EVENT_TYPE_${type}`)?.eventTime);

const timer = (seconds: number, timerId = '1'): object => ({ commandType: 'COMMAND_TYPE_START_TIMER', startTimerCommandAttributes: { timerId, startToFireTimeout: { seconds } } });
const activity = (more: object = {}): object => ({
  commandType: 'COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK',
  scheduleActivityTaskCommandAttributes: { activityId: 'a', activityType: { name: 'A' }, taskQueue: { name: id }, startToCloseTimeout: { seconds: DAY_S }, ...more },
});
const child = (): object => ({
  commandType: 'COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION',
  startChildWorkflowExecutionCommandAttributes: { workflowId: `${id}-child`, workflowType: { name: 'C' }, taskQueue: { name: `${id}-child` } },
});
const completes = { commandType: 'COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION', completeWorkflowExecutionCommandAttributes: {} };

/** What a test leaves open would hold the time of the next. */
const begun = new Set<string>();

beforeEach(() => {
  id = `skip-${randomUUID()}`;
});

describe('a server whose clock skips time', () => {
  beforeAll(() => start('locked'));
  afterAll(stop);
  afterEach(async () => {
    for (const workflowId of begun) await raw.call(WORKFLOWS, 'TerminateWorkflowExecution', { namespace: 'default', workflowExecution: { workflowId } });
    begun.clear();
  });

  const unlocked = async <T>(work: () => Promise<T>): Promise<T> => {
    await test('UnlockTimeSkipping');
    try {
      return await work();
    } finally {
      await test('LockTimeSkipping');
    }
  };

  it('waits for its timers while it is locked, and jumps over them once it is not', async () => {
    const before = await nowMs();
    await begin();
    await step(timer(30 * DAY_S));
    expect((await nowMs()) - before).toBeLessThan(60_000);
    await unlocked(() => step(completes));
    expect((await eventAt('TIMER_FIRED')) - (await eventAt('TIMER_STARTED'))).toBe(30 * DAY_MS);
    expect((await nowMs()) - before).toBeGreaterThanOrEqual(30 * DAY_MS);
    expect((await nowMs()) - before).toBeLessThan(30 * DAY_MS + 60_000);
  });

  it('goes from one timer to the next, however many lie between', async () => {
    await begin();
    await step(timer(DAY_S, 'first'), timer(2 * DAY_S, 'second'), timer(20 * DAY_S, 'third'));
    await unlocked(async () => {
      await step();
      await step();
      await step(completes);
    });
    const fired = (await events()).filter((e) => e.eventType === 'EVENT_TYPE_TIMER_FIRED');
    const at = fired.map((e) => Math.round((ms(e.eventTime) - ms(fired[0].eventTime)) / DAY_MS));
    expect(at).toEqual([0, 1, 19]);
  });

  it('stands by real time while a workflow task waits for a worker or runs', async () => {
    await begin();
    await step(timer(DAY_S));
    const other = id;
    id = `skip-${randomUUID()}`;
    await begin();
    await unlocked(async () => {
      const before = await nowMs();
      const task = await poll();
      await test('Sleep', { duration: { nanos: 50_000_000 } });
      expect((await nowMs()) - before).toBeLessThan(10_000);
      await answer(task, [completes]);
      id = other;
      await step(completes);
    });
    expect((await eventAt('TIMER_FIRED')) - (await eventAt('TIMER_STARTED'))).toBe(DAY_MS);
  });

  it('stands by real time while an activity runs, and skips its backoff', async () => {
    await begin();
    await step(activity({ retryPolicy: { initialInterval: { seconds: 3600 }, backoffCoefficient: 1 } }), timer(10 * DAY_S));
    await unlocked(async () => {
      const first = await pollActivity();
      expect(first.attempt).toBe(1);
      const before = await nowMs();
      await test('Sleep', { duration: { nanos: 50_000_000 } });
      expect((await nowMs()) - before).toBeLessThan(10_000);
      await rpc('RespondActivityTaskFailed', { taskToken: first.taskToken, failure: { message: 'not yet', applicationFailureInfo: {} } });
      const second = await pollActivity();
      expect(second.attempt).toBe(2);
      expect(ms(second.startedTime) - ms(first.startedTime)).toBeGreaterThanOrEqual(3_600_000);
      expect(ms(second.startedTime) - ms(first.startedTime)).toBeLessThan(3_700_000);
      await rpc('RespondActivityTaskCompleted', { taskToken: second.taskToken });
      await step(completes);
    });
  });

  it('lets an activity skip time that itself holds, by sleeping', async () => {
    await begin();
    await step(activity(), timer(3600));
    await unlocked(async () => {
      const task = await pollActivity();
      const slept = test('UnlockTimeSkippingWithSleep', { duration: { seconds: 7200 } });
      await step(); // the timer fires on the way
      await slept;
      await rpc('RespondActivityTaskCompleted', { taskToken: task.taskToken });
      await step(completes);
    });
    const [fired, done] = [await eventAt('TIMER_FIRED'), await eventAt('ACTIVITY_TASK_COMPLETED')];
    expect(done - fired).toBeGreaterThanOrEqual(3_600_000);
  });

  it('sleeps for a client that asks, past what falls due meanwhile', async () => {
    await begin();
    await step(timer(DAY_S));
    const before = await nowMs();
    const slept = test('UnlockTimeSkippingWithSleep', { duration: { seconds: DAY_S + 60 } });
    await step(completes);
    await slept;
    expect((await nowMs()) - before).toBeGreaterThanOrEqual(DAY_MS + 60_000);
    expect((await nowMs()) - before).toBeLessThan(DAY_MS + 120_000);
  });

  it('a sleep that ends with a timer shows the timer fired', async () => {
    await begin();
    await step(timer(DAY_S));
    const firesMs = (await eventAt('TIMER_STARTED')) + DAY_MS;
    await unlocked(() => test('SleepUntil', { timestamp: { seconds: Math.floor(firesMs / 1000), nanos: Math.round((firesMs % 1000) * 1e6) } }));
    expect((await events()).map((e) => e.eventType)).toContain('EVENT_TYPE_TIMER_FIRED');
    await step(completes);
  });

  it('carries a child and its parent through their times, messages between them included', async () => {
    await begin();
    await step(child());
    const parent = id;
    await unlocked(async () => {
      await step(); // the child has started
      id = `${parent}-child`;
      await step(timer(5 * DAY_S));
      await step(completes);
      id = parent;
      await step(completes);
    });
    expect((await eventAt('CHILD_WORKFLOW_EXECUTION_COMPLETED')) - (await eventAt('CHILD_WORKFLOW_EXECUTION_STARTED'))).toBeGreaterThanOrEqual(5 * DAY_MS);
  });

  it('skips start delays, cron waits and run timeouts', async () => {
    await begin({ workflowStartDelay: { seconds: DAY_S } });
    await unlocked(() => step(completes));
    expect((await eventAt('WORKFLOW_TASK_SCHEDULED')) - (await eventAt('WORKFLOW_EXECUTION_STARTED'))).toBeGreaterThanOrEqual(DAY_MS);
    id = `skip-${randomUUID()}`;
    await begin({ workflowRunTimeout: { seconds: 7 * DAY_S } });
    await step();
    await unlocked(() => until('the timeout', async () => (await events()).some((e) => e.eventType === 'EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT')));
    expect((await eventAt('WORKFLOW_EXECUTION_TIMED_OUT')) - (await eventAt('WORKFLOW_EXECUTION_STARTED'))).toBe(7 * DAY_MS);
    id = `skip-${randomUUID()}`;
    await begin({ cronSchedule: '0 12 * * *', workflowExecutionTimeout: { seconds: 10 * DAY_S } });
    const first = await unlocked(async () => {
      const task = await poll();
      await answer(task, [completes]);
      const next = await poll();
      await answer(next, [completes]);
      return ms(next.startedTime) - ms(task.startedTime);
    });
    expect(Math.round(first / DAY_MS)).toBe(1);
  });

  it('keeps what is closed, however much time was skipped', async () => {
    await begin();
    await step(completes);
    await test('UnlockTimeSkippingWithSleep', { duration: { seconds: 365 * DAY_S } });
    expect((await events()).at(-1).eventType).toBe('EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED');
  });

  it('leaves polls and what is known of workers to real time', async () => {
    const task = poll();
    const pollers = async () => (await rpc('DescribeTaskQueue', { taskQueue: { name: id }, taskQueueType: 1 })).pollers ?? [];
    await until('the poll', async () => (await pollers()).length === 1);
    await test('UnlockTimeSkippingWithSleep', { duration: { seconds: DAY_S } });
    expect(await pollers()).toHaveLength(1);
    await begin();
    await answer(await task, [completes]); // the poll was not ended by the time that was skipped
    await test('UnlockTimeSkippingWithSleep', { duration: { seconds: DAY_S } });
    expect(await pollers()).toHaveLength(1);
  });

  it('goes by real time when nothing is ever due', async () => {
    await begin();
    await step();
    await unlocked(async () => {
      const before = await nowMs();
      await rpc('SignalWorkflowExecution', { workflowExecution: { workflowId: id }, signalName: 's' });
      expect((await nowMs()) - before).toBeLessThan(60_000);
      await step(completes);
    });
  });

  it('lets several callers wait at once, without skipping what runs meanwhile', async () => {
    await begin();
    await step(timer(DAY_S));
    const other = id;
    id = `skip-${randomUUID()}`;
    await begin();
    await unlocked(() =>
      unlocked(() =>
        unlocked(async () => {
          const before = await nowMs();
          const task = await poll(); // one workflow task holds the time of all
          await test('Sleep', { duration: { nanos: 50_000_000 } });
          expect((await nowMs()) - before).toBeLessThan(10_000);
          await answer(task, [completes]);
          id = other;
          await step(completes);
        }),
      ),
    );
    expect((await eventAt('TIMER_FIRED')) - (await eventAt('TIMER_STARTED'))).toBe(DAY_MS);
  });

  it('several sleep at once, each for its time', async () => {
    const before = await nowMs();
    const slept = (hours: number) => test('UnlockTimeSkippingWithSleep', { duration: { seconds: hours * 3600 } }).then(async () => (await nowMs()) - before);
    const [one, two] = await Promise.all([slept(1), slept(2)]);
    expect(one).toBeGreaterThanOrEqual(3_600_000);
    expect(two).toBeGreaterThanOrEqual(7_200_000);
    await begin();
    await step(timer(DAY_S)); // and it is locked again
    expect((await nowMs()) - before).toBeLessThan(7_300_000);
  });

  it('a sleep of somebody who holds one lock of two takes real time, and one that is given up leaves the lock', async () => {
    await test('LockTimeSkipping');
    const before = await nowMs();
    expect((await raw.call(TESTS, 'UnlockTimeSkippingWithSleep', { duration: { seconds: DAY_S } }, { timeoutMs: 300 })).code).toBe('DEADLINE_EXCEEDED');
    await test('UnlockTimeSkipping');
    await begin();
    await step(timer(DAY_S));
    expect((await nowMs()) - before).toBeLessThan(60_000);
    await unlocked(() => step(completes));
  });
});

it('a server that starts unlocked skips at once, and goes on with what was there before', async () => {
  await start('locked');
  await begin();
  await step(timer(3 * DAY_S));
  await stop();
  await start('unlocked');
  try {
    await step(completes);
    expect((await eventAt('TIMER_FIRED')) - (await eventAt('TIMER_STARTED'))).toBeGreaterThanOrEqual(3 * DAY_MS);
  } finally {
    await stop();
  }
});

/** Whether a closed run is still there once an engine of that mode has removed what is too old. */
const keptBySweeper = async (runId: string, timeSkipping: string): Promise<boolean> => {
  const config = readConfig({}, { databaseUrl: database.url, databasePoolSize: '2', timeSkipping });
  const { engine } = composeEngine(config, log, { now: Date.now }, systemIds);
  await sweepRetentionOnce(engine);
  const run = await engine.runs.load(runId);
  await engine.database.close();
  return run !== undefined;
};

it('its clock may start on any day, also one long gone, and what closed then is kept', async () => {
  const from = Date.parse('2020-02-28T18:00:00Z');
  await start('locked', { timeSkippingFromMs: '2020-02-28T18:00:00Z' });
  try {
    const { runId } = await begin();
    await step(timer(DAY_S));
    await test('UnlockTimeSkipping');
    await step(completes);
    await test('LockTimeSkipping');
    expect((await eventAt('WORKFLOW_EXECUTION_STARTED')) - from).toBeLessThan(60_000);
    expect(new Date(await eventAt('TIMER_FIRED')).toISOString()).toMatch(/^2020-02-29T18:0/);
    expect(await keptBySweeper(runId, 'locked')).toBe(true);
    expect(await keptBySweeper(runId, 'off')).toBe(false);
  } finally {
    await stop();
  }
});

it('every other server has no such service', async () => {
  await start('off');
  try {
    expect((await raw.call(TESTS, 'GetCurrentTime', {})).code).toBe('UNIMPLEMENTED');
  } finally {
    await stop();
  }
});

it('its clock is in one process', () => {
  expect(() => readConfig({}, { databaseUrl: database.url, processes: '2', timeSkipping: 'locked' })).toThrow(/--processes: expected 1 with time skipping/);
});
