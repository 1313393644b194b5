/** Workflow tasks between the server and its workers: attempts, stickiness, tasks that come with an answer, and answers that are not accepted. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { enums, fromDuration, toDuration, toNumber } from '../../server/core/api.js';
import { command, EngineNode, json, type WorkflowTask } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

const database = useDatabase();
const CAUSE = enums.WorkflowTaskFailedCause;
let node: EngineNode;

beforeAll(async () => {
  node = new EngineNode(database.url);
  await node.addNamespace('default');
  await node.addNamespace('elsewhere');
});
afterAll(async () => {
  await node.expectFoldsToLive();
  await node.close();
});

const seconds = (n: number) => toDuration(n * 1000);
const sticky = (queue: string) => ({
  stickyAttributes: {
    workerTaskQueue: { name: queue, kind: 2, normalName: queue.replace('-sticky', '') },
    scheduleToStartTimeout: seconds(5),
  },
});
const signal = (workflowId: string, signalName = 's') =>
  node.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId }, signalName });
const failTask = (task: WorkflowTask, cause = CAUSE.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR) =>
  node.rpc('RespondWorkflowTaskFailed', { taskToken: task.taskToken, cause, failure: { message: 'no' } }, '');
const eventIds = (task: WorkflowTask) => task.history!.events!.map((e) => toNumber(e.eventId));
const searchAttribute = async (id: string, name: string) =>
  (await node.describe(id)).workflowExecutionInfo!.searchAttributes?.indexedFields?.[name];

describe('a failed task', () => {
  it('is tried again; attempts after the first are seen by readers but not written', async () => {
    await node.start('attempts');
    await failTask(await node.poll('attempts'));
    await failTask(await node.poll('attempts'));
    const third = await node.poll('attempts');
    expect([third.attempt, toNumber(third.startedEventId), eventIds(third)]).toEqual([3, 6, [1, 2, 3, 4, 5, 6]]);
    expect(await node.story('attempts')).toHaveLength(6);
    expect((await node.describe('attempts')).pendingWorkflowTask).toMatchObject({
      attempt: 3,
      state: enums.PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED,
    });
    await node.complete(third, [command.complete()]);
    expect((await node.story('attempts')).slice(3)).toEqual([
      'WORKFLOW_TASK_FAILED',
      'WORKFLOW_TASK_SCHEDULED',
      'WORKFLOW_TASK_STARTED',
      'WORKFLOW_TASK_COMPLETED',
      'WORKFLOW_EXECUTION_COMPLETED',
    ]);
  });

  it('cannot be answered any more', async () => {
    await node.start('late');
    const task = await node.poll('late');
    await failTask(task);
    await expect(node.complete(task)).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'Workflow task not found.' });
    await expect(failTask(task)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('of a run that keeps failing is reported in a search attribute until one gets through', async () => {
    await node.start('problem');
    for (let n = 0; n < 5; n++) await failTask(await node.poll('problem'));
    const payload = await searchAttribute('problem', 'TemporalReportedProblems');
    expect(JSON.parse(Buffer.from(payload!.data!).toString())).toEqual([
      'category=WorkflowTaskFailed',
      'cause=WorkflowTaskFailedCauseNonDeterministicError',
    ]);
    await node.step('problem');
    expect(await searchAttribute('problem', 'TemporalReportedProblems')).toBeUndefined();
  });

  it('whose failure is too large keeps its beginning', async () => {
    await node.start('large');
    const task = await node.poll('large');
    const failure = { message: 'm'.repeat(3 * 1024 * 1024) };
    await node.rpc('RespondWorkflowTaskFailed', { taskToken: task.taskToken, cause: 1, failure }, '');
    const failed = (await node.events('large')).find((e) => e.workflowTaskFailedEventAttributes);
    expect(failed!.workflowTaskFailedEventAttributes!.failure).toMatchObject({ message: 'Failure exceeds size limit.' });
  });
});

describe('an answer', () => {
  test.each(['RespondWorkflowTaskCompleted', 'RespondWorkflowTaskFailed'])(
    'in another namespace than its token is refused (%s)',
    async (method) => {
      await node.start(`foreign-${method}`);
      const task = await node.poll(`foreign-${method}`);
      await expect(node.rpc(method, { taskToken: task.taskToken }, 'elsewhere')).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: 'Operation requested with a token from a different namespace.',
      });
    },
  );

  it('with a bad command fails the task once; later attempts are left to time out', async () => {
    await node.start('bad');
    const cancel = { commandType: enums.CommandType.COMMAND_TYPE_CANCEL_TIMER, cancelTimerCommandAttributes: { timerId: 'none' } };
    await expect(node.complete(await node.poll('bad'), [cancel])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect((await node.events('bad')).at(-2)!.workflowTaskFailedEventAttributes).toMatchObject({
      cause: CAUSE.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES,
    });
    await expect(node.complete(await node.poll('bad'), [cancel])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect((await node.describe('bad')).pendingWorkflowTask).toMatchObject({
      attempt: 2,
      state: enums.PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED,
    });
    await node.forward(10_000);
    expect((await node.poll('bad')).attempt).toBe(3);
  });

  it('says which SDK and build made it, which the history and describe keep', async () => {
    await node.start('build');
    const sdkMetadata = { coreUsedFlags: [1, 2], sdkName: 'sdk', sdkVersion: '1' };
    await node.complete(await node.poll('build'), [], { sdkMetadata, workerVersionStamp: { buildId: 'b1' }, binaryChecksum: 'sum' });
    expect((await node.events('build')).at(-1)!.workflowTaskCompletedEventAttributes).toMatchObject({
      sdkMetadata,
      workerVersion: { buildId: 'b1' },
      binaryChecksum: 'sum',
    });
    const info = (await node.describe('build')).workflowExecutionInfo!;
    expect(info.mostRecentWorkerVersionStamp).toMatchObject({ buildId: 'b1' });
    expect(info.autoResetPoints!.points).toMatchObject([{ buildId: 'b1', binaryChecksum: 'sum', resettable: true }]);
  });
});

describe('a sticky queue', () => {
  async function stuck(id: string): Promise<void> {
    await node.start(id);
    await node.complete(await node.poll(id), [], sticky(`${id}-sticky`));
  }
  /** A worker polls, and goes away without a task. */
  async function lookIn(queue: string): Promise<void> {
    let leave: (() => void) | undefined;
    const onCancelled = (end: () => void): void => {
      leave = end;
    };
    const polled = node.rpc('PollWorkflowTaskQueue', { taskQueue: { name: queue } }, 'default', { onCancelled });
    await until('the poll', async () => leave !== undefined);
    leave!();
    await polled;
  }

  it('gets what is new, and nothing else', async () => {
    await stuck('sticky');
    const polled = node.poll('sticky-sticky');
    await signal('sticky');
    const task = await polled;
    expect([toNumber(task.previousStartedEventId), eventIds(task)]).toEqual([3, [4, 5, 6, 7]]);
  });

  it('is left when its worker does not come in time: the task then has the whole history', async () => {
    await stuck('gone');
    await lookIn('gone-sticky');
    await signal('gone');
    await node.forward(5_000);
    const task = await node.poll('gone');
    expect(eventIds(task)[0]).toBe(1);
    expect(await node.story('gone')).toContain('WORKFLOW_TASK_TIMED_OUT');
  });

  it('is left at once when no worker has polled it of late', async () => {
    await stuck('never');
    await signal('never');
    expect(eventIds(await node.poll('never'))[0]).toBe(1);
    expect(await node.story('never')).not.toContain('WORKFLOW_TASK_TIMED_OUT');
  });

  it('is left when it is reset', async () => {
    await node.start('reset');
    await node.complete(await node.poll('reset'), [], sticky('reset-sticky'));
    await node.rpc('ResetStickyTaskQueue', { execution: { workflowId: 'reset' } });
    await signal('reset');
    expect(eventIds(await node.poll('reset'))[0]).toBe(1);
  });

  it('is left at once when its worker has shut down', async () => {
    await node.start('shut');
    await node.complete(await node.poll('shut'), [], sticky('shut-sticky'));
    await node.rpc('ShutdownWorker', { stickyTaskQueue: 'shut-sticky' });
    await signal('shut');
    expect(eventIds(await node.poll('shut'))[0]).toBe(1);
  });

  test.each(['ResetStickyTaskQueue'])('%s needs an open run', async (method) => {
    await expect(node.rpc(method, { execution: { workflowId: 'nowhere' } })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await node.start('reset-closed');
    await node.step('reset-closed', [command.complete()]);
    await expect(node.rpc(method, { execution: { workflowId: 'reset-closed' } })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a next task that comes with the answer', () => {
  const again = { forceCreateNewWorkflowTask: true, returnNewWorkflowTask: true };
  type Answer = { workflowTask?: WorkflowTask };

  it('is started at once, and has what the worker does not know yet', async () => {
    await node.start('next');
    const { workflowTask } = (await node.complete(await node.poll('next'), [command.timer('t', 60)], again)) as Answer;
    expect([toNumber(workflowTask!.previousStartedEventId), eventIds(workflowTask!)]).toEqual([3, [4, 5, 6, 7]]);
    await node.complete(workflowTask!, [command.complete()]);
  });

  it('has what came while the last one ran', async () => {
    await node.start('next-signal');
    const task = await node.poll('next-signal');
    await signal('next-signal');
    const { workflowTask } = (await node.complete(task, [], { returnNewWorkflowTask: true })) as Answer;
    expect(workflowTask!.history!.events!.some((e) => e.workflowExecutionSignaledEventAttributes)).toBe(true);
  });

  it('is given once more to a worker that was not told of it', async () => {
    await node.start('next-again');
    const task = await node.poll('next-again');
    const first = ((await node.complete(task, [command.timer('t', 60)], again)) as Answer).workflowTask!;
    const second = ((await node.complete(task, [command.timer('t', 60)], again)) as Answer).workflowTask!;
    expect([Buffer.from(second.taskToken!).toString(), eventIds(second)]).toEqual([Buffer.from(first.taskToken!).toString(), eventIds(first)]);
    await node.complete(second, [command.complete()]);
    await expect(node.complete(task, [command.timer('t', 60)], again)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await node.story('next-again')).filter((name) => name === 'TIMER_STARTED')).toHaveLength(1);
  });

  it('is not there when there is nothing to do', async () => {
    await node.start('next-none');
    const answer = (await node.complete(await node.poll('next-none'), [], { returnNewWorkflowTask: true })) as Answer;
    expect(answer.workflowTask ?? null).toBeNull();
  });

  it('as a sign of life only may go on for half an hour', async () => {
    await node.start('alive');
    let task = await node.poll('alive');
    for (let minute = 0; minute < 30; minute += 2) {
      node.clock.forward(120_000);
      task = ((await node.complete(task, [], again)) as Answer).workflowTask!;
    }
    node.clock.forward(120_000);
    await expect(node.complete(task, [], again)).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'workflow task heartbeat timeout' });
    expect((await node.story('alive')).slice(-2)).toEqual(['WORKFLOW_TASK_TIMED_OUT', 'WORKFLOW_TASK_SCHEDULED']);
    const { workflowTask } = (await node.complete(await node.poll('alive'), [], again)) as Answer;
    expect(workflowTask).toBeDefined();
  });
});

describe('the first task', () => {
  it('goes with the answer to a worker that starts the run, and once more if that was not told', async () => {
    const start = { workflowId: 'eager-start', requestId: 'r', requestEagerExecution: true, workflowType: { name: 'T' }, taskQueue: { name: 'q' }, identity: 'me' };
    const begin = (more: object = {}): Promise<{ runId: string; eagerWorkflowTask?: WorkflowTask }> => node.rpc('StartWorkflowExecution', { ...start, ...more });
    const first = await begin();
    expect(eventIds(first.eagerWorkflowTask!)).toEqual([1, 2, 3]);
    const second = await begin();
    expect(second.runId).toBe(first.runId);
    expect([Buffer.from(second.eagerWorkflowTask!.taskToken!).toString(), eventIds(second.eagerWorkflowTask!)]).toEqual([Buffer.from(first.eagerWorkflowTask!.taskToken!).toString(), [1, 2, 3]]);
    expect((await begin({ identity: 'another' })).eagerWorkflowTask).toBeUndefined();
    await node.complete(second.eagerWorkflowTask!, [command.timer('t', 60)]);
    expect((await begin()).eagerWorkflowTask).toBeUndefined();
  });
});

describe('a timer', () => {
  it('that fires while the task runs which cancels it has never fired', async () => {
    await node.start('timer');
    const first = (await node.complete(await node.poll('timer'), [command.timer('t', 5)], {
      forceCreateNewWorkflowTask: true,
      returnNewWorkflowTask: true,
    })) as {
      workflowTask: WorkflowTask;
    };
    await node.forward(5_000);
    const cancel = { commandType: enums.CommandType.COMMAND_TYPE_CANCEL_TIMER, cancelTimerCommandAttributes: { timerId: 't' } };
    await node.complete(first.workflowTask, [cancel, command.complete()]);
    const story = await node.story('timer');
    expect(story.slice(-2)).toEqual(['TIMER_CANCELED', 'WORKFLOW_EXECUTION_COMPLETED']);
    expect(story).not.toContain('TIMER_FIRED');
  });

  it('fires once, at its time, with those that are due before it', async () => {
    await node.start('order');
    await node.step('order', [command.timer('late', 9), command.timer('early', 3)]);
    await node.forward(2_999);
    expect((await node.story('order')).includes('TIMER_FIRED')).toBe(false);
    await node.forward(10_000);
    const fired = (await node.events('order')).flatMap((e) => e.timerFiredEventAttributes?.timerId ?? []);
    expect(fired).toEqual(['early', 'late']);
  });
});

describe('a completion of the run', () => {
  it('is refused while something is unseen', async () => {
    await node.start('unseen');
    const task = await node.poll('unseen');
    await signal('unseen');
    await expect(node.complete(task, [command.complete()])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/^UnhandledCommand/),
    });
    const next = await node.poll('unseen');
    expect(next.attempt).toBe(1);
    await node.complete(next, [command.complete()]);
  });
});

describe('what a command says beside its attributes', () => {
  it('goes into its event', async () => {
    await node.start('metadata', { userMetadata: { summary: json('run').payloads![0] } });
    const userMetadata = { summary: json('why').payloads![0]! };
    await node.step('metadata', [{ ...command.timer('t', 5), userMetadata }, command.activity('a', 'metadata-act')]);
    const [timer, activity] = (await node.events('metadata')).slice(-2);
    expect(timer!.userMetadata).toMatchObject({ summary: { data: Buffer.from('"why"') } });
    expect(activity!.userMetadata ?? null).toBeNull();
    expect((await node.describe('metadata')).executionConfig!.userMetadata).toMatchObject({ summary: { data: Buffer.from('"run"') } });
  });
});

it('what a run is started with is described', async () => {
  const timeouts = { workflowExecutionTimeout: seconds(100), workflowRunTimeout: seconds(50), workflowTaskTimeout: seconds(7) };
  await node.start('config', { ...timeouts, priority: { priorityKey: 2 } });
  const { executionConfig, workflowExecutionInfo } = await node.describe('config');
  expect(executionConfig!.taskQueue).toMatchObject({ name: 'config' });
  expect(fromDuration(executionConfig!.workflowRunTimeout)).toBe(50_000);
  expect(fromDuration(executionConfig!.defaultWorkflowTaskTimeout)).toBe(7_000);
  expect(workflowExecutionInfo!.priority).toMatchObject({ priorityKey: 2 });
});

describe('a run whose end was refused', () => {
  const close = async (workflowId: string) => {
    const task = await node.poll(workflowId);
    return { task, complete: () => node.complete(task, [command.complete()]) };
  };
  const closing = { code: 'RESOURCE_EXHAUSTED', message: 'workflow operation can not be applied because workflow is closing' };
  const update = (workflowId: string) =>
    node.rpc('UpdateWorkflowExecution', {
      workflowExecution: { workflowId },
      waitPolicy: { lifecycleStage: 3 },
      request: { meta: { updateId: 'u' }, input: { name: 'u' } },
    });

  it('takes no signals and updates while its worker most likely tries again', async () => {
    await node.start('closing');
    const first = await close('closing');
    await signal('closing', 'early');
    await expect(first.complete()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: 'UnhandledCommand' });
    await signal('closing', 'while nobody has the task');
    const second = await close('closing');
    await expect(signal('closing', 'late')).rejects.toMatchObject({
      ...closing,
      details: [{ value: { cause: enums.ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW } }],
    });
    await expect(update('closing')).rejects.toMatchObject(closing);
    await expect(node.rpc('SignalWithStartWorkflowExecution', { ...starting('closing'), signalName: 's' })).rejects.toMatchObject(closing);
    await second.complete();
    expect((await node.story('closing')).at(-1)).toBe('WORKFLOW_EXECUTION_COMPLETED');
  });

  it('takes them again when the worker did something else, gave up or said nothing', async () => {
    const ways: [string, (task: WorkflowTask) => Promise<unknown>][] = [
      ['went-on', (task) => node.complete(task, [command.timer('t', 60)])],
      ['failed', failTask],
      ['timed-out', () => node.forward(11_000)],
    ];
    for (const [workflowId, otherwise] of ways) {
      await node.start(workflowId);
      const first = await close(workflowId);
      await signal(workflowId);
      await expect(first.complete()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      await otherwise(await node.poll(workflowId));
      await signal(workflowId);
      await node.poll(workflowId);
      await signal(workflowId);
    }
  });

  it('lets signals of other runs wait, and takes them when it goes on', async () => {
    await node.start('target');
    const first = await close('target');
    await signal('target');
    await expect(first.complete()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const second = await node.poll('target');
    await node.start('sender');
    await node.step('sender', [command.signal('target', 'from the other run')]);
    await until('the put-off message', async () => (await node.engine.database.query({ text: 'select 1 from outbox where attempts > 0' })).length > 0);
    await node.complete(second, [command.timer('t', 60)]);
    await node.deliverAfter(60_000);
    await until('the signal', async () => (await node.events('target')).some((e) => e.workflowExecutionSignaledEventAttributes?.signalName === 'from the other run'));
  });
});

const starting = (workflowId: string) => ({ workflowId, workflowType: { name: 'Test' }, taskQueue: { name: workflowId } });
