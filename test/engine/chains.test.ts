/** Chains of runs: continue-as-new, retry policies, cron schedules, and the timeouts that end a run or the whole chain. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enums, fromDuration, fromTimestamp, type HistoryEvent, toDuration } from '../../server/core/api.js';
import { command, EngineNode, json } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

const database = useDatabase();
const INITIATOR = enums.ContinueAsNewInitiator;
const RETRY = enums.RetryState;
let node: EngineNode;

beforeAll(async () => {
  node = new EngineNode(database.url);
  await node.addNamespace('default');
});
afterAll(async () => {
  await node.expectFoldsToLive();
  await node.close();
});

const seconds = (n: number) => toDuration(n * 1000);
const retry = (more: object = {}): object => ({
  retryPolicy: { initialInterval: seconds(5), backoffCoefficient: 2, maximumAttempts: 3, ...more },
});

const startedOf = async (workflowId: string) => (await node.events(workflowId))[0]!.workflowExecutionStartedEventAttributes!;
const lastOf = async (workflowId: string, runId = ''): Promise<HistoryEvent> => (await node.events(workflowId, runId)).at(-1)!;
const runIdOf = async (workflowId: string): Promise<string> => (await node.describe(workflowId)).workflowExecutionInfo!.execution!.runId!;

describe('continue-as-new', () => {
  it('carries what the command says and keeps the chain', async () => {
    const links = [{ workflowEvent: { namespace: 'default', workflowId: 'other', runId: '00000000-0000-4000-8000-000000000000' } }];
    const first = await node.start('can', {
      workflowRunTimeout: seconds(60),
      memo: { fields: { old: {} } },
      cronSchedule: '',
      links,
      ...retry(),
    });
    node.clock.forward(2_000);
    await node.step('can', [
      command.continueAsNew({ input: json('again'), lastCompletionResult: json('last'), memo: { fields: { neu: {} } } }),
    ]);
    const next = await runIdOf('can');
    const [event] = await node.events('can');
    expect(event!.links).toHaveLength(1);
    const started = event!.workflowExecutionStartedEventAttributes!;
    expect(started).toMatchObject({
      continuedExecutionRunId: first,
      firstExecutionRunId: first,
      originalExecutionRunId: next,
      attempt: 1,
      identity: '',
    });
    expect(Object.keys(started.memo!.fields!)).toEqual(['neu']);
    expect(started.retryPolicy ?? null).toBeNull();
    expect(fromDuration(started.workflowRunTimeout)).toBe(60_000);
    expect(started.initiator).toBe(INITIATOR.CONTINUE_AS_NEW_INITIATOR_WORKFLOW);
    expect((await lastOf('can', first)).workflowExecutionContinuedAsNewEventAttributes!.newExecutionRunId).toBe(next);
    expect(next > first).toBe(true);
  });

  it('within a second of the start waits out that second', async () => {
    await node.start('can-fast');
    node.clock.forward(300);
    await node.step('can-fast', [command.continueAsNew()]);
    expect(fromDuration((await startedOf('can-fast')).firstWorkflowTaskBackoff)).toBe(700);
    await node.forward(699);
    expect(await node.story('can-fast')).toEqual(['WORKFLOW_EXECUTION_STARTED']);
    await node.forward(1);
    expect(await node.story('can-fast')).toEqual(['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED']);
  });

  it('takes on reset points and callbacks', async () => {
    const callbacks = [{ nexus: { url: 'http://localhost/done' } }];
    const first = await node.start('can-callback', { completionCallbacks: callbacks });
    await node.step('can-callback', [command.continueAsNew()]);
    const started = await startedOf('can-callback');
    expect(started.completionCallbacks).toMatchObject(callbacks);
    expect(started.prevAutoResetPoints!.points).toMatchObject([{ runId: first, resettable: true }]);
    expect(fromTimestamp(started.prevAutoResetPoints!.points![0]!.expireTime)).toBe(node.clock.now() + 86_400_000);
  });
});

describe('a retry policy', () => {
  it('begins the next attempt after its backoff, with what the first started with', async () => {
    const first = await node.start('retried', { input: json('in'), ...retry() });
    node.clock.forward(2_000);
    await node.step('retried', [command.fail('one')]);
    const started = await startedOf('retried');
    expect(started).toMatchObject({ attempt: 2, continuedExecutionRunId: first, initiator: INITIATOR.CONTINUE_AS_NEW_INITIATOR_RETRY });
    expect(started.continuedFailure!.message).toBe('one');
    expect(started.input!.payloads![0]!.data!.toString()).toBe('"in"');
    expect(fromDuration(started.firstWorkflowTaskBackoff)).toBe(5_000);
    const closed = (await lastOf('retried', first)).workflowExecutionFailedEventAttributes!;
    expect(closed).toMatchObject({ retryState: RETRY.RETRY_STATE_IN_PROGRESS, newExecutionRunId: await runIdOf('retried') });
    await node.forward(5_000);
    await node.step('retried', [command.fail('two')]);
    expect(fromDuration((await startedOf('retried')).firstWorkflowTaskBackoff)).toBe(10_000);
    await node.forward(10_000);
    await node.step('retried', [command.fail('three')]);
    expect((await lastOf('retried')).workflowExecutionFailedEventAttributes).toMatchObject({
      retryState: RETRY.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
      newExecutionRunId: '',
    });
  });

  it.each([
    ['a failure that says so', { applicationFailureInfo: { type: 'Boom', nonRetryable: true } }, RETRY.RETRY_STATE_NON_RETRYABLE_FAILURE],
    ['a type that it names', { applicationFailureInfo: { type: 'Fatal' } }, RETRY.RETRY_STATE_NON_RETRYABLE_FAILURE],
  ])('does not retry %s', async (why, failure, state) => {
    const workflowId = `final-${why}`;
    await node.start(workflowId, retry({ nonRetryableErrorTypes: ['Fatal'] }));
    await node.step(workflowId, [command.fail('no', failure)]);
    expect((await lastOf(workflowId)).workflowExecutionFailedEventAttributes!.retryState).toBe(state);
  });

  it('does not go beyond the execution timeout', async () => {
    await node.start('retry-late', { workflowExecutionTimeout: seconds(4), ...retry() });
    await node.step('retry-late', [command.fail()]);
    expect((await lastOf('retry-late')).workflowExecutionFailedEventAttributes!.retryState).toBe(RETRY.RETRY_STATE_TIMEOUT);
  });

  it('retries a run that timed out', async () => {
    const first = await node.start('retry-timeout', { workflowRunTimeout: seconds(3), ...retry({ maximumAttempts: 2 }) });
    await node.forward(3_000);
    const closed = (await lastOf('retry-timeout', first)).workflowExecutionTimedOutEventAttributes!;
    expect(closed.retryState).toBe(RETRY.RETRY_STATE_IN_PROGRESS);
    const started = await startedOf('retry-timeout');
    expect(started.continuedFailure!.timeoutFailureInfo!.timeoutType).toBe(enums.TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE);
    await node.forward(5_000 + 3_000);
    await until('the end', async () => (await lastOf('retry-timeout')).workflowExecutionTimedOutEventAttributes);
    expect((await lastOf('retry-timeout')).workflowExecutionTimedOutEventAttributes!.retryState).toBe(
      RETRY.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
    );
  });

  it('of a child is invisible to its parent until the last attempt', async () => {
    await node.start('p');
    await node.step('p', [command.child('p-child', retry())]);
    await node.step('p');
    await node.step('p-child', [command.fail('one')]);
    await node.forward(5_000);
    await node.step('p-child', [command.complete('two')]);
    await until('the end', async () => (await node.story('p')).includes('CHILD_WORKFLOW_EXECUTION_COMPLETED'));
    expect(await node.story('p')).not.toContain('CHILD_WORKFLOW_EXECUTION_FAILED');
  });
});

describe('a cron schedule', () => {
  it('runs at its times, each run with the last result', async () => {
    await node.start('cron', { cronSchedule: '0 * * * *' });
    const untilHour = 3_600_000 - (node.clock.now() % 3_600_000);
    const started = await startedOf('cron');
    expect(started.initiator).toBe(INITIATOR.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE);
    expect(Math.abs(fromDuration(started.firstWorkflowTaskBackoff) - untilHour)).toBeLessThan(1_000);
    await node.forward(3_600_000);
    await node.step('cron', [command.complete('one')]);
    await node.forward(3_600_000);
    await node.step('cron', [command.fail('bad')]);
    const third = await startedOf('cron');
    expect(third.lastCompletionResult!.payloads![0]!.data!.toString()).toBe('"one"');
    expect(third.continuedFailure!.message).toBe('bad');
    expect(third.attempt).toBe(1);
  });

  it('comes after the retry policy has given up', async () => {
    await node.start('cron-retry', {
      cronSchedule: '0 * * * *',
      ...retry({ maximumAttempts: 2 }),
      completionCallbacks: [{ nexus: { url: 'http://localhost/done' } }],
    });
    await node.forward(3_600_000);
    await node.step('cron-retry', [command.fail('one')]);
    expect(await startedOf('cron-retry')).toMatchObject({
      attempt: 2,
      initiator: INITIATOR.CONTINUE_AS_NEW_INITIATOR_RETRY,
      completionCallbacks: [{}],
    });
    await node.forward(5_000);
    await node.step('cron-retry', [command.fail('two')]);
    expect(await startedOf('cron-retry')).toMatchObject({
      attempt: 1,
      initiator: INITIATOR.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE,
      completionCallbacks: [],
    });
  });

  it('goes on after a run that timed out, and not after one that was cancelled or terminated', async () => {
    const first = await node.start('cron-timeout', { cronSchedule: '0 * * * *', workflowRunTimeout: seconds(60) });
    await node.forward(3_600_000);
    await node.forward(60_000);
    expect((await lastOf('cron-timeout', first)).workflowExecutionTimedOutEventAttributes!.retryState).toBe(
      RETRY.RETRY_STATE_RETRY_POLICY_NOT_SET,
    );
    expect(await runIdOf('cron-timeout')).not.toBe(first);
    await node.rpc('RequestCancelWorkflowExecution', { workflowExecution: { workflowId: 'cron-timeout' } });
    const second = await runIdOf('cron-timeout');
    await node.step('cron-timeout', [command.cancel()]);
    expect(await runIdOf('cron-timeout')).toBe(second);
  });

  it('ends with the execution timeout', async () => {
    await node.start('cron-end', { cronSchedule: '0 * * * *', workflowExecutionTimeout: seconds(90 * 60) });
    await node.forward(3_600_000);
    await node.step('cron-end', [command.complete()]);
    await node.forward(30 * 60_000);
    expect((await lastOf('cron-end')).workflowExecutionTimedOutEventAttributes!.retryState).toBe(RETRY.RETRY_STATE_TIMEOUT);
  });
});

describe('a start delay', () => {
  it('holds the first task back; a signal does not shorten it, a cancel request does', async () => {
    await node.start('delayed', { workflowStartDelay: seconds(30) });
    await node.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId: 'delayed' }, signalName: 'early' });
    expect(await node.story('delayed')).toEqual(['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_EXECUTION_SIGNALED']);
    await node.rpc('RequestCancelWorkflowExecution', { workflowExecution: { workflowId: 'delayed' } });
    expect((await node.story('delayed')).slice(-2)).toEqual(['WORKFLOW_EXECUTION_CANCEL_REQUESTED', 'WORKFLOW_TASK_SCHEDULED']);
  });

  it('adds to the run timeout', async () => {
    await node.start('delayed-timeout', { workflowStartDelay: seconds(30), workflowRunTimeout: seconds(10) });
    await node.forward(39_999);
    expect((await node.describe('delayed-timeout')).workflowExecutionInfo!.status).toBe(
      enums.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING,
    );
    await node.forward(1);
    expect((await lastOf('delayed-timeout')).workflowExecutionTimedOutEventAttributes).toBeTruthy();
  });
});
