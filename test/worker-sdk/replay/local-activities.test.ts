// Local activities, live: attempts and pauses, limits, heartbeats of the task, cancellation by all three ways, a worker that forgets the run.
// Every history that comes of it must replay.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { CancelledFailure, TimeoutFailure } from '../../../worker-sdk/payload/failure.js';
import { defaultPayloadConverter } from '../../../worker-sdk/payload/payload-converter.js';
import type { LocalActivityResult, LocalActivityTask, WorkflowHost } from '../../../worker-sdk/replay/workflow-host.js';
import { HistoryDriver } from './history-driver.js';
import { makeHost } from './make-host.js';

const CODE = `
import * as wf from '@perdure/sdk/workflow';
type Acts = Record<string, (...args: unknown[]) => Promise<any>>;
const local = (options: object = {}) => wf.proxyLocalActivities<Acts>({ startToCloseTimeout: '10s', ...options });
const failure = (e: any) => ({ name: e.name, retryState: e.retryState, cause: e.cause && { name: e.cause.name, message: e.cause.message, timeoutType: e.cause.timeoutType } });

export async function simple(...names: string[]) { return Promise.all(names.map((name) => local().act(name))); }
export async function sequence() { const a = await local().act('a'); const b = await local().act('b'); await wf.sleep(1000); return [a, b, await local().act('c')]; }
export async function retried(options: object) { try { return await local(options).act('x'); } catch (e) { return failure(e); } }
export async function clock() { const before = Date.now(); await local().act('slow'); return Date.now() - before; }
export async function cancelled(cancellationType: any, afterMs: number) {
  const scope = new wf.CancellationScope();
  const work = scope.run(() => local({ cancellationType, retry: { initialInterval: '1 minute' } }).act('held'));
  work.catch(() => {});
  if (afterMs >= 0) await local().act('first');
  scope.cancel();
  try { return await work; } catch (e) { return wf.isCancellation(e) ? 'cancelled' : failure(e); }
}
export async function closes() { void local().act('held').catch(() => {}); await local().act('first'); return 'closed'; }
export async function withSignal() {
  let got: unknown = 'nothing'; wf.setHandler(wf.defineSignal<[string]>('say'), (said) => { got = said; });
  const result = await local().act('held'); return [result, got];
}
`;

interface Call {
  task: LocalActivityTask;
  signal: AbortSignal;
  /** The attempt has a slot. */
  started(): void;
  answer(result: LocalActivityResult): void;
}

let host: WorkflowHost;
let calls: Call[] = [];
/** Whether attempts begin at once, or when the test says so. */
let hasSlots = true;
let onCall: (call: Call) => void = () => undefined;
const waiters: (() => void)[] = [];

const done = (value: unknown): LocalActivityResult => ({ kind: 'completed', result: defaultPayloadConverter.toPayload(value) });
const failed = (message: string, more: object = {}): LocalActivityResult => ({ kind: 'failed', failure: { message, applicationFailureInfo: { type: 'Oops', ...more } } });

beforeAll(async () => {
  host = await makeHost(CODE, {
    runLocalActivity: (task, signal, started) =>
      new Promise((resolve) => {
        const call = { task, signal, started, answer: resolve };
        calls.push(call);
        if (hasSlots) started();
        onCall(call);
        for (const wake of waiters.splice(0)) wake();
      }),
  });
});
afterAll(() => host.dispose());
beforeEach(() => {
  calls = [];
  hasSlots = true;
  onCall = () => undefined;
});

const nameOf = ({ task }: Call) => defaultPayloadConverter.fromPayload(task.input[0]!) as string;

async function call(n: number): Promise<Call> {
  while (calls.length < n) await new Promise<void>((resolve) => waiters.push(resolve));
  return calls[n - 1]!;
}

/** Answers what the workflow hands in; `held` is left alone. */
function answerByName(): void {
  onCall = (made) => {
    const name = nameOf(made);
    if (name !== 'held') made.answer(done(`did ${name}`));
  };
}

test('results come in the task itself, each with its marker', async () => {
  answerByName();
  const driver = new HistoryDriver(host, 'simple', ['a', 'b', 'c']);
  const { commands } = await driver.task();
  expect(driver.result).toEqual(['did a', 'did b', 'did c']);
  expect(commands?.map(({ recordMarkerCommandAttributes: marker }) => marker?.markerName)).toEqual([...Array(3).fill('core_local_activity'), undefined]);
  await driver.replay();
});

test('what an activity is told about itself', async () => {
  const driver = new HistoryDriver(host, 'simple', ['a'], { workflowId: 'told' });
  const task = driver.task();
  const { task: told, answer } = await call(1);
  expect(told).toMatchObject({ workflowId: 'told', runId: driver.runId, workflowType: 'simple', workflowNamespace: 'default', activityType: 'act', activityId: '1', attempt: 1, startToCloseTimeoutMs: 10_000 });
  expect(Math.abs(Date.now() - told.scheduledTimeMs)).toBeLessThan(60_000);
  answer(done(1));
  await task;
});

test('replay, in pieces and from the start, runs nothing again', async () => {
  answerByName();
  const driver = new HistoryDriver(host, 'sequence');
  await driver.task();
  expect(calls.map(nameOf)).toEqual(['a', 'b']);
  host.evict(driver.runId);
  await driver.fireTimer().task();
  expect(driver.result).toEqual(['did a', 'did b', 'did c']);
  expect(calls.map(nameOf)).toEqual(['a', 'b', 'c']);
  await driver.replay();
  expect(calls).toHaveLength(3);
});

test('attempts, with the pauses of the policy', async () => {
  onCall = ({ task, answer }) => answer(task.attempt < 3 ? failed(`attempt ${task.attempt}`) : done('at last'));
  const driver = new HistoryDriver(host, 'retried', [{ retry: { initialInterval: 10, backoffCoefficient: 2 } }]);
  const started = performance.now();
  await driver.task();
  expect(driver.result).toBe('at last');
  expect(calls.map(({ task }) => task.attempt)).toEqual([1, 2, 3]);
  expect(performance.now() - started).toBeGreaterThanOrEqual(25);
  expect(new Set(calls.map(({ task }) => task.scheduledTimeMs)).size).toBe(1);
  await driver.replay();
});

test.each([
  ['the last attempt', { retry: { initialInterval: 1, maximumAttempts: 2 } }, failed('no'), 2, { name: 'ApplicationFailure' }],
  ['what is not to be retried', {}, failed('no', { nonRetryable: true }), 1, { name: 'ApplicationFailure' }],
  ['a type that is not to be retried', { retry: { nonRetryableErrorTypes: ['Oops'] } }, failed('no'), 1, { name: 'ApplicationFailure' }],
])('%s ends it', async (_name, options, answer, attempts, outcome) => {
  onCall = (made) => made.answer(answer);
  const driver = new HistoryDriver(host, 'retried', [options]);
  await driver.task();
  expect(driver.result).toMatchObject(outcome);
  expect(calls).toHaveLength(attempts);
  await driver.replay();
});

test('the delay that a failure asks for', async () => {
  onCall = ({ task, answer }) => answer(task.attempt === 1 ? failed('soon', { nextRetryDelay: { seconds: 0, nanos: 1e6 } }) : done('soon'));
  const driver = new HistoryDriver(host, 'retried', [{ retry: { initialInterval: '1 hour' } }]);
  await driver.task();
  expect(driver.result).toBe('soon');
});

test('a long pause becomes a durable timer, after which it goes on with the next attempt', async () => {
  onCall = ({ task, answer }) => answer(task.attempt < 3 ? failed('later') : done('much later'));
  const driver = new HistoryDriver(host, 'retried', [{ localRetryThreshold: 5, retry: { initialInterval: '10m', backoffCoefficient: 2 } }]);
  await driver.task();
  const started = driver.events.at(-1)!.timerStartedEventAttributes!;
  expect(Number(started.startToFireTimeout?.seconds)).toBe(600);
  host.evict(driver.runId);
  await driver.fireTimer('1').task();
  expect(Number(driver.events.at(-1)!.timerStartedEventAttributes!.startToFireTimeout?.seconds)).toBe(1200);
  await driver.fireTimer('2').task();
  expect(driver.result).toBe('much later');
  expect(calls.map(({ task }) => task.attempt)).toEqual([1, 2, 3]);
  await driver.replay();
});

test('the limit of an attempt aborts it; the next one follows', async () => {
  const reasons: unknown[] = [];
  onCall = ({ task, signal, answer }) => {
    if (task.attempt === 2) answer(done('in time'));
    else signal.addEventListener('abort', () => reasons.push(signal.reason));
  };
  const driver = new HistoryDriver(host, 'retried', [{ startToCloseTimeout: 20, retry: { initialInterval: 1 } }]);
  await driver.task();
  expect(driver.result).toBe('in time');
  expect(reasons).toHaveLength(1);
  expect(reasons[0]).toBeInstanceOf(TimeoutFailure);
  await driver.replay();
});

test('an attempt that gets no slot in its time fails for good', async () => {
  hasSlots = false;
  const driver = new HistoryDriver(host, 'retried', [{ scheduleToStartTimeout: 20, retry: { initialInterval: 1 } }]);
  await driver.task();
  expect(driver.result).toMatchObject({ name: 'ActivityFailure', cause: { name: 'TimeoutFailure', timeoutType: 'SCHEDULE_TO_START' } });
  expect(calls.map(({ signal }) => signal.reason)).toEqual([expect.any(TimeoutFailure)]);
  await driver.replay();
});

test('the time that an attempt waits for a slot is not taken from its own', async () => {
  hasSlots = false;
  const driver = new HistoryDriver(host, 'retried', [{ startToCloseTimeout: 20, scheduleToStartTimeout: '10s', retry: { maximumAttempts: 1 } }]);
  const task = driver.task();
  const { started, answer } = await call(1);
  const from = performance.now();
  while (performance.now() - from < 40) await new Promise((resolve) => setImmediate(resolve));
  started();
  answer(done('in time'));
  await task;
  expect(driver.result).toBe('in time');
  await driver.replay();
});

test('the limit of all attempts ends it, also in a pause', async () => {
  onCall = ({ answer }) => answer(failed('again'));
  const driver = new HistoryDriver(host, 'retried', [{ scheduleToCloseTimeout: 60, retry: { initialInterval: 20 } }]);
  await driver.task();
  expect(driver.result).toMatchObject({ name: 'ActivityFailure', cause: { name: 'TimeoutFailure', timeoutType: 'SCHEDULE_TO_CLOSE' } });
  expect(calls.length).toBeGreaterThan(1);
  await driver.replay();
});

test('the clock of the workflow moves by what the activity took, the same in replay', async () => {
  const driver = new HistoryDriver(host, 'clock');
  const task = driver.task();
  const { answer } = await call(1);
  const started = performance.now();
  while (performance.now() - started < 20) await new Promise((resolve) => setImmediate(resolve));
  answer(done(1));
  await task;
  expect(driver.result).toBeGreaterThanOrEqual(19);
  await driver.replay();
});

test('a long one keeps its task alive; the worker may forget the run in between', async () => {
  const driver = new HistoryDriver(host, 'simple', ['held'], { taskTimeoutMs: 100 });
  const first = await driver.task();
  expect(first).toMatchObject({ forceCreateNewWorkflowTask: true, returnNewWorkflowTask: true, commands: [] });
  const second = await driver.task();
  expect(second.forceCreateNewWorkflowTask).toBe(true);
  expect(calls).toHaveLength(1);
  const third = driver.task();
  calls[0]!.answer(done('held long'));
  expect((await third).forceCreateNewWorkflowTask).toBe(false);
  expect(driver.result).toEqual(['held long']);
  await driver.replay();
});

test('a result that comes between two tasks is not lost', async () => {
  const driver = new HistoryDriver(host, 'simple', ['held'], { taskTimeoutMs: 50 });
  await driver.task();
  calls[0]!.answer(done('between'));
  await new Promise((resolve) => setImmediate(resolve));
  await driver.task();
  expect(driver.result).toEqual(['between']);
});

test('a run that the worker forgets runs its activity again', async () => {
  const driver = new HistoryDriver(host, 'simple', ['held'], { taskTimeoutMs: 50 });
  await driver.task();
  host.evict(driver.runId);
  expect(calls[0]!.signal.reason).toBeInstanceOf(CancelledFailure);
  const task = driver.task();
  const again = await call(2);
  again.answer(done('again'));
  calls[0]!.answer(done('too late'));
  await task;
  expect(driver.result).toEqual(['again']);
  await driver.replay();
});

test('signals come with the next task while it runs', async () => {
  const driver = new HistoryDriver(host, 'withSignal', [], { taskTimeoutMs: 50 });
  await driver.task();
  driver.signal('say', 'hello');
  const task = driver.task();
  calls[0]!.answer(done('done'));
  await task;
  expect(driver.result).toEqual(['done', 'hello']);
  await driver.replay();
});

test('queries are answered while it runs', async () => {
  const driver = new HistoryDriver(host, 'withSignal', [], { taskTimeoutMs: 10_000 });
  const { queryResults, forceCreateNewWorkflowTask } = await driver.task({ q: { queryType: '__stack_trace' } });
  expect(queryResults?.q).toMatchObject({ resultType: 1 });
  expect(forceCreateNewWorkflowTask).toBe(true);
  const task = driver.task();
  calls[0]!.answer(done('done'));
  await task;
  expect(driver.result).toEqual(['done', 'nothing']);
});

test.each(['TRY_CANCEL', 'WAIT_CANCELLATION_COMPLETED', 'ABANDON'])('cancellation: %s', async (type) => {
  onCall = (made) => {
    if (nameOf(made) === 'first') made.answer(done(1));
    else
      made.signal.addEventListener('abort', () =>
        made.answer({ kind: 'cancelled', failure: { message: 'told', canceledFailureInfo: {} } }),
      );
  };
  const driver = new HistoryDriver(host, 'cancelled', [type, 0]);
  await driver.task();
  expect(driver.result).toBe('cancelled');
  const held = calls.find((made) => nameOf(made) === 'held')!;
  expect(held.signal.aborted).toBe(type !== 'ABANDON');
  await driver.replay();
});

test('waiting for the cancellation waits for what the activity makes of it', async () => {
  onCall = (made) => {
    if (nameOf(made) === 'first') made.answer(done(1));
    else made.signal.addEventListener('abort', () => made.answer(done('finished anyway')));
  };
  const driver = new HistoryDriver(host, 'cancelled', ['WAIT_CANCELLATION_COMPLETED', 0]);
  await driver.task();
  expect(driver.result).toBe('finished anyway');
  await driver.replay();
});

test('cancelled before it was started: nothing runs', async () => {
  const driver = new HistoryDriver(host, 'cancelled', ['TRY_CANCEL', -1]);
  await driver.task();
  expect(driver.result).toBe('cancelled');
  expect(calls).toHaveLength(0);
  await driver.replay();
});

test('cancelled in a pause', async () => {
  onCall = (made) => (nameOf(made) === 'first' ? setTimeout(() => made.answer(done(1)), 20) : made.answer(failed('pause now')));
  const driver = new HistoryDriver(host, 'cancelled', ['WAIT_CANCELLATION_COMPLETED', 0]);
  await driver.task();
  expect(driver.result).toBe('cancelled');
  expect(calls).toHaveLength(2);
  await driver.replay();
});

test('a run that closes aborts what still runs', async () => {
  onCall = (made) => nameOf(made) === 'first' && made.answer(done(1));
  const driver = new HistoryDriver(host, 'closes');
  await driver.task();
  expect(driver.result).toBe('closed');
  expect(calls[0]!.signal.aborted).toBe(true);
  await driver.replay();
});
