/** Paused runs: what still happens to them, and what waits until they go on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enums, toDuration } from '../../server/core/api.js';
import { command, EngineNode, json } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';
import { acceptAll, send, UpdateStories } from '../helpers/updates.js';

const database = useDatabase();
let node: EngineNode;
beforeAll(async () => {
  node = new EngineNode(database.url);
  await node.addNamespace('default');
});
afterAll(async () => {
  await node.expectFoldsToLive();
  await node.close();
});

const S = enums.WorkflowExecutionStatus;
const by = { identity: 'me', reason: 'to look at it', requestId: 'p' };
const pause = (workflowId: string, more: object = {}) => node.rpc('PauseWorkflowExecution', { workflowId, ...by, ...more });
const unpause = (workflowId: string, more: object = {}) => node.rpc('UnpauseWorkflowExecution', { workflowId, ...by, ...more });
const signal = (workflowId: string, signalName = 's') => node.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId }, signalName });
const statusOf = async (workflowId: string) => (await node.describe(workflowId)).workflowExecutionInfo!.status;
/** Nobody is offered a workflow task; rows of one that was taken back lie in the queue until somebody finds them void. */
async function expectIdle(workflowId: string, voidRows = 0): Promise<void> {
  expect((await node.describe(workflowId)).pendingWorkflowTask).toBeUndefined();
  const rows = await node.engine.database.query({ text: 'select 1 from tasks where workflow_id = $1 and kind = 1', values: [workflowId] });
  expect(rows).toHaveLength(voidRows);
}
const pauseInfo = async (workflowId: string): Promise<unknown> => {
  const field = (await node.describe(workflowId)).workflowExecutionInfo!.searchAttributes?.indexedFields?.['TemporalPauseInfo'];
  return field && JSON.parse(Buffer.from(field.data!).toString());
};

describe('an idle run', () => {
  it('takes in what comes, and its worker hears of it all when it goes on', async () => {
    await node.start('idle');
    await node.step('idle', [command.timer('t', 5)]);
    await pause('idle');
    expect(await statusOf('idle')).toBe(S.WORKFLOW_EXECUTION_STATUS_PAUSED);
    expect((await node.describe('idle')).workflowExtendedInfo!.pauseInfo).toMatchObject({ identity: 'me', reason: 'to look at it' });
    expect(await pauseInfo('idle')).toEqual(['Workflow:idle', 'Reason:to look at it']);
    await signal('idle', 'one');
    await node.rpc('SignalWithStartWorkflowExecution', { workflowId: 'idle', workflowType: { name: 'Test' }, taskQueue: { name: 'idle' }, signalName: 'two' });
    await node.forward(6_000);
    await node.rpc('RequestCancelWorkflowExecution', { workflowExecution: { workflowId: 'idle' } });
    await expectIdle('idle');
    await unpause('idle');
    expect(await statusOf('idle')).toBe(S.WORKFLOW_EXECUTION_STATUS_RUNNING);
    expect((await node.describe('idle')).workflowExtendedInfo!.pauseInfo).toBeUndefined();
    expect(await pauseInfo('idle')).toBeUndefined();
    await node.step('idle', [command.cancel()]);
    expect((await node.story('idle')).slice(5)).toEqual([
      'WORKFLOW_EXECUTION_PAUSED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'TIMER_FIRED',
      'WORKFLOW_EXECUTION_CANCEL_REQUESTED',
      'WORKFLOW_EXECUTION_UNPAUSED',
      'WORKFLOW_TASK_SCHEDULED',
      'WORKFLOW_TASK_STARTED',
      'WORKFLOW_TASK_COMPLETED',
      'WORKFLOW_EXECUTION_CANCELED',
    ]);
  });

  it('answers no queries and takes no updates', async () => {
    await node.start('asked');
    await node.step('asked');
    await pause('asked');
    expect(await node.rpc('QueryWorkflow', { execution: { workflowId: 'asked' }, query: { queryType: 'q' } })).toEqual({ queryRejected: { status: S.WORKFLOW_EXECUTION_STATUS_PAUSED } });
    await expect(send(node, 'asked', 'u')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', message: 'Workflow is paused. Cannot update the workflow.' });
    await unpause('asked');
    await node.step('asked');
    const story = new UpdateStories(node);
    const { answer, task } = await story.sent('asked', 'u');
    await node.complete(task, ...acceptAll(task));
    expect((await answer).outcome).toMatchObject({ success: {} });
  });

  it('is an open run: in lists, for other starts, and for whoever ends it', async () => {
    await node.start('open');
    await node.step('open');
    await pause('open');
    const listed = async (method: string, request: object) => (await node.rpc(method, request)).executions.map((e: { execution: { workflowId: string } }) => e.execution.workflowId);
    const filter = { startTimeFilter: {}, executionFilter: { workflowId: 'open' } };
    expect(await listed('ListWorkflowExecutions', { query: "ExecutionStatus = 'Paused'" })).toEqual(['open']);
    expect(await listed('ListOpenWorkflowExecutions', filter)).toEqual(['open']);
    expect(await listed('ListClosedWorkflowExecutions', filter)).toEqual([]);
    await expect(node.start('open')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await node.rpc('TerminateWorkflowExecution', { workflowExecution: { workflowId: 'open' } });
    expect(await statusOf('open')).toBe(S.WORKFLOW_EXECUTION_STATUS_TERMINATED);
    await expect(unpause('open')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('times out like any other', async () => {
    await node.start('late', { workflowRunTimeout: toDuration(10_000) });
    await node.step('late');
    await pause('late');
    await node.forward(11_000);
    expect(await statusOf('late')).toBe(S.WORKFLOW_EXECUTION_STATUS_TIMED_OUT);
  });

  it('that is reset leaves its pause behind', async () => {
    await node.start('reset');
    await node.step('reset', [command.timer('t', 60)]);
    await pause('reset');
    await node.rpc('ResetWorkflowExecution', { workflowExecution: { workflowId: 'reset' }, workflowTaskFinishEventId: 4, requestId: 'r' });
    expect(await statusOf('reset')).toBe(S.WORKFLOW_EXECUTION_STATUS_RUNNING);
    await node.step('reset', [command.complete()]);
  });

  it('that waits for its first task goes on waiting', async () => {
    await node.start('delayed', { workflowStartDelay: toDuration(10_000) });
    await pause('delayed');
    await unpause('delayed');
    await expectIdle('delayed');
    await pause('delayed');
    await node.forward(11_000);
    await expectIdle('delayed');
    await unpause('delayed');
    await node.step('delayed', [command.complete()]);
  });
});

describe('a workflow task', () => {
  it('that no worker has is taken back', async () => {
    await node.start('pending');
    await pause('pending');
    await expectIdle('pending', 1);
    await unpause('pending');
    expect(await node.story('pending')).toEqual(['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_FAILED', 'WORKFLOW_EXECUTION_PAUSED', 'WORKFLOW_EXECUTION_UNPAUSED', 'WORKFLOW_TASK_SCHEDULED']);
    expect((await node.events('pending'))[2]!.workflowTaskFailedEventAttributes).toMatchObject({
      cause: enums.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED,
      identity: 'history-service',
    });
    const task = await node.step('pending', [command.complete()]);
    expect(task.attempt).toBe(1);
  });

  it('that waits to be tried again is taken back without a trace', async () => {
    await node.start('retried');
    await node.rpc('RespondWorkflowTaskFailed', { taskToken: (await node.poll('retried')).taskToken, cause: 1 }, '');
    await pause('retried');
    expect((await node.story('retried')).slice(3)).toEqual(['WORKFLOW_TASK_FAILED', 'WORKFLOW_EXECUTION_PAUSED']);
    await unpause('retried');
    await node.step('retried', [command.complete()]);
  });

  it('with an update, too: the update comes with the next one', async () => {
    const story = new UpdateStories(node);
    await story.idle('updated');
    const answer = send(node, 'updated', 'u');
    await story.admitted('updated', 1);
    await pause('updated');
    await expectIdle('updated', 1);
    await unpause('updated');
    const task = await node.poll('updated');
    await node.complete(task, ...acceptAll(task));
    expect((await answer).outcome).toMatchObject({ success: {} });
  });

  it.each<[string, (token: Uint8Array) => Promise<unknown>, string]>([
    ['answered', (taskToken) => node.rpc('RespondWorkflowTaskCompleted', { taskToken }, ''), 'WORKFLOW_TASK_COMPLETED'],
    ['failed', (taskToken) => node.rpc('RespondWorkflowTaskFailed', { taskToken, cause: 1 }, ''), 'WORKFLOW_TASK_FAILED'],
    ['timed-out', () => node.forward(11_000), 'WORKFLOW_TASK_TIMED_OUT'],
    ['closing', (taskToken) => expect(node.rpc('RespondWorkflowTaskCompleted', { taskToken, commands: [command.complete()] }, '')).rejects.toMatchObject({ message: 'UnhandledCommand' }), 'WORKFLOW_TASK_FAILED'],
  ])('that a worker has may be %s, and nothing follows until the run goes on', async (workflowId, end, event) => {
    await node.start(workflowId);
    const { taskToken } = await node.poll(workflowId);
    await pause(workflowId);
    expect(await statusOf(workflowId)).toBe(S.WORKFLOW_EXECUTION_STATUS_PAUSED);
    await end(taskToken);
    expect((await node.story(workflowId)).slice(3)).toEqual([event, 'WORKFLOW_EXECUTION_PAUSED']);
    await expectIdle(workflowId);
    await unpause(workflowId);
    const task = await node.step(workflowId, [command.complete()]);
    expect(task.attempt).toBe(1);
  });

  it('that a worker has sees pause and resumption after it', async () => {
    await node.start('both');
    const { taskToken } = await node.poll('both');
    await pause('both');
    await expect(node.rpc('RespondWorkflowTaskCompleted', { taskToken, forceCreateNewWorkflowTask: true }, '')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await unpause('both');
    await node.rpc('RespondWorkflowTaskCompleted', { taskToken }, '');
    expect((await node.story('both')).slice(3)).toEqual(['WORKFLOW_TASK_COMPLETED', 'WORKFLOW_EXECUTION_PAUSED', 'WORKFLOW_EXECUTION_UNPAUSED', 'WORKFLOW_TASK_SCHEDULED']);
    await node.step('both', [command.complete()]);
  });
});

describe('an activity', () => {
  const activityTasks = (workflowId: string) => node.engine.database.query({ text: 'select stamp from tasks where workflow_id = $1 and kind = 2', values: [workflowId] });
  const nobody = async (queue: string) => {
    const polled = node.rpc('PollActivityTaskQueue', { taskQueue: { name: queue } }, 'default', { deadline: Date.now() + 4_000 });
    return polled;
  };

  it('that no worker has waits for the run to go on', async () => {
    await node.start('waiting');
    await node.step('waiting', [command.activity('a', 'waiting-act')]);
    await pause('waiting');
    expect((await node.describe('waiting')).pendingActivities![0]).toMatchObject({ paused: false });
    const polled = nobody('waiting-act');
    await signal('waiting');
    await unpause('waiting');
    expect((await polled).activityId).toBe('a');
  });

  it('that a worker has goes on; what comes after it waits', async () => {
    await node.start('running');
    await node.step('running', [command.activity('a', 'running-act')]);
    const task = await node.pollActivity('running-act');
    await pause('running');
    await node.rpc('RecordActivityTaskHeartbeat', { taskToken: task.taskToken }, '');
    await node.rpc('RespondActivityTaskCompleted', { taskToken: task.taskToken, result: json(1) }, '');
    await expectIdle('running');
    await unpause('running');
    const next = await node.poll('running');
    expect(next.history!.events!.some((e) => e.activityTaskCompletedEventAttributes)).toBe(true);
    await node.complete(next, [command.complete()]);
  });

  it('is not tried again meanwhile', async () => {
    await node.start('retrying');
    await node.step('retrying', [command.activity('a', 'retrying-act')]);
    const { taskToken } = await node.pollActivity('retrying-act');
    await pause('retrying');
    await node.rpc('RespondActivityTaskFailed', { taskToken, failure: { message: 'no', applicationFailureInfo: {} } }, '');
    for (let i = 0; i < 3; i++) await node.forward(2_000);
    expect(await activityTasks('retrying')).toEqual([]);
    await unpause('retrying');
    expect((await node.pollActivity('retrying-act')).attempt).toBe(2);
  });

  it('that a last task schedules, and one that is paused itself, wait too', async () => {
    await node.start('scheduled');
    const task = await node.poll('scheduled');
    await pause('scheduled');
    const eager = { ...command.activity('b', 'scheduled-act') };
    eager.scheduleActivityTaskCommandAttributes!.requestEagerExecution = true;
    expect(await node.complete(task, [command.activity('a', 'scheduled-act'), eager])).not.toHaveProperty('activityTasks');
    await node.rpc('PauseActivity', { execution: { workflowId: 'scheduled' }, id: 'a' });
    expect(await pauseInfo('scheduled')).toEqual(['Workflow:scheduled', 'Reason:to look at it', 'property:activityType=Act']);
    await node.forward(1_000);
    expect(await activityTasks('scheduled')).toEqual([]);
    await unpause('scheduled');
    expect((await node.pollActivity('scheduled-act')).activityId).toBe('b');
    expect(await activityTasks('scheduled')).toEqual([]);
    expect(await pauseInfo('scheduled')).toEqual(['property:activityType=Act']);
  });

  it('times out all the same', async () => {
    await node.start('overdue');
    await node.step('overdue', [command.activity('a', 'overdue-act')]);
    await node.pollActivity('overdue-act');
    await pause('overdue');
    await node.forward(61_000);
    expect((await node.describe('overdue')).pendingActivities![0]).toMatchObject({ attempt: 2 });
    await unpause('overdue');
    await node.forward(1_000);
    expect((await node.pollActivity('overdue-act')).attempt).toBe(2);
  });
});

describe('mistakes', () => {
  it('pausing twice, unless it is the same request; resuming what is not paused', async () => {
    await node.start('twice');
    await expect(unpause('twice')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', message: 'workflow is not paused.' });
    await pause('twice');
    await pause('twice');
    await expect(pause('twice', { requestId: 'other' })).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', message: 'workflow is already paused.' });
    expect((await node.story('twice')).filter((e) => e.endsWith('_PAUSED'))).toHaveLength(1);
  });

  it.each([['identity'], ['reason'], ['requestId', 'request id']])('%s too long', async (field, name = field) => {
    for (const act of [pause, unpause]) {
      await expect(act('twice', { [field]: 'x'.repeat(1001) })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: `${name} is too long.` });
    }
  });

  it('unknown workflows', async () => {
    await expect(pause('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(pause('')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
