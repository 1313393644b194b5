/** What workers, and those that answer for them, say of activities: by token and by id, in time and too late, in sizes that fit and that do not. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { enums, fromDuration, type HistoryEvent, type temporal, toDuration } from '../../server/core/api.js';
import { type ActivityTask, command, EngineNode, json } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';

const database = useDatabase();
const RETRY = enums.RetryState;
const MiB = 1024 * 1024;
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
const large = (bytes: number) => json('x'.repeat(bytes));
const boom = { message: 'boom', applicationFailureInfo: { type: 'Boom' } };
const final = { message: 'final', applicationFailureInfo: { type: 'Boom', nonRetryable: true } };

/** A run with one activity of the same id, which waits on the queue `<id>-act`. */
async function withActivity(id: string, more: object = {}): Promise<string> {
  const runId = await node.start(id);
  const schedule = command.activity(id, `${id}-act`);
  Object.assign(schedule.scheduleActivityTaskCommandAttributes!, more);
  await node.step(id, [schedule]);
  return runId;
}
async function started(id: string, more: object = {}): Promise<ActivityTask> {
  await withActivity(id, more);
  return node.pollActivity(`${id}-act`);
}
const say = (what: string, task: ActivityTask, more: object = {}) =>
  node.rpc(`RespondActivityTask${what}`, { taskToken: task.taskToken, ...more }, '');
const beat = (task: ActivityTask, more: object = {}) => node.rpc('RecordActivityTaskHeartbeat', { taskToken: task.taskToken, ...more }, '');
const ids = (id: string): object => ({ workflowId: id, activityId: id });
const last = async (id: string): Promise<HistoryEvent> =>
  (await node.events(id)).findLast((e) => !enums.EventType[e.eventType!]!.includes('WORKFLOW_TASK'))!;
const pending = async (id: string): Promise<temporal.api.workflow.v1.IPendingActivityInfo> =>
  (await node.describe(id)).pendingActivities![0]!;
const cancel = (scheduledEventId: number): temporal.api.command.v1.ICommand => ({
  commandType: enums.CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK,
  requestCancelActivityTaskCommandAttributes: { scheduledEventId: scheduledEventId as never },
});

describe('an activity that its own workflow task cancels again', () => {
  it('is over behind the events of all commands, whose ids a worker has reckoned', async () => {
    await node.start('changed-mind');
    await node.step('changed-mind', [command.activity('first', 'nobody'), cancel(5), command.activity('second', 'nobody'), cancel(7)]);
    expect((await node.story('changed-mind')).slice(4)).toEqual([
      'ACTIVITY_TASK_SCHEDULED',
      'ACTIVITY_TASK_CANCEL_REQUESTED',
      'ACTIVITY_TASK_SCHEDULED',
      'ACTIVITY_TASK_CANCEL_REQUESTED',
      'ACTIVITY_TASK_CANCELED',
      'ACTIVITY_TASK_CANCELED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
  });

  it('gives its id free at once', async () => {
    await node.start('same-id');
    await node.step('same-id', [command.activity('a', 'nobody'), cancel(5), command.activity('a', 'nobody')]);
    expect(await pending('same-id')).toMatchObject({ activityId: 'a' });
  });

  it('leaves no more events when the run ends with it', async () => {
    await node.start('cancel-and-end');
    await node.step('cancel-and-end', [command.activity('a', 'nobody'), cancel(5), command.complete()]);
    expect((await node.story('cancel-and-end')).slice(4)).toEqual([
      'ACTIVITY_TASK_SCHEDULED',
      'ACTIVITY_TASK_CANCEL_REQUESTED',
      'WORKFLOW_EXECUTION_COMPLETED',
    ]);
  });
});

describe('an activity that is pending when its run ends', () => {
  it('is shown as it was, and answers for it come too late', async () => {
    const task = await started('left-behind');
    await beat(task, { details: json('half') });
    await node.rpc('TerminateWorkflowExecution', { workflowExecution: { workflowId: 'left-behind' } });
    expect(await pending('left-behind')).toMatchObject({ activityId: 'left-behind', state: enums.PendingActivityState.PENDING_ACTIVITY_STATE_STARTED, attempt: 1 });
    await expect(say('Completed', task)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(beat(task)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await node.forward(3_600_000);
    expect(await pending('left-behind')).toMatchObject({ attempt: 1 });
  });

  it('is not handed out from its queue any more', async () => {
    await withActivity('left-queued');
    await node.rpc('TerminateWorkflowExecution', { workflowExecution: { workflowId: 'left-queued' } });
    await node.start('other');
    await node.step('other', [command.activity('other', 'left-queued-act')]);
    expect((await node.pollActivity('left-queued-act')).workflowExecution).toMatchObject({ workflowId: 'other' });
  });
});

describe('an attempt', () => {
  it('is handed out with what the activity was scheduled with', async () => {
    const task = await started('handed', { input: json('in'), heartbeatTimeout: seconds(5), header: { fields: { trace: {} } } });
    expect(task).toMatchObject({
      activityId: 'handed',
      attempt: 1,
      workflowNamespace: 'default',
      activityType: { name: 'Act' },
      workflowType: { name: 'Test' },
    });
    expect(task.input!.payloads![0]!.data!.toString()).toBe('"in"');
    expect([fromDuration(task.heartbeatTimeout), fromDuration(task.startToCloseTimeout)]).toEqual([5_000, 60_000]);
    expect(Object.keys(task.header!.fields!)).toEqual(['trace']);
  });

  it('that failed leaves no event, and the next begins with what it told', async () => {
    const task = await started('retried');
    await beat(task, { details: json('half') });
    expect(await say('Failed', task, { failure: boom })).toEqual({});
    expect((await last('retried')).activityTaskScheduledEventAttributes).toBeDefined();
    expect(await pending('retried')).toMatchObject({
      attempt: 2,
      lastFailure: { message: 'boom' },
      state: enums.PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED,
    });
    await node.forward(1_000);
    const again = await node.pollActivity('retried-act');
    expect([again.attempt, again.heartbeatDetails!.payloads![0]!.data!.toString()]).toEqual([2, '"half"']);
    await say('Completed', again, { result: json('done') });
    const [beforeLast, closing] = (await node.events('retried')).slice(-3);
    expect(beforeLast!.activityTaskStartedEventAttributes).toMatchObject({ attempt: 2, lastFailure: { message: 'boom' } });
    expect(closing!.activityTaskCompletedEventAttributes!.result!.payloads![0]!.data!.toString()).toBe('"done"');
  });

  test.each(['Completed', 'Failed', 'Canceled'])('that is over cannot be %s any more', async (what) => {
    const id = `over-${what}`;
    const task = await started(id);
    await say('Failed', task, { failure: boom });
    await node.forward(1_000);
    await node.pollActivity(`${id}-act`);
    await expect(say(what, task)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/^invalid activityID or activity already timed out/),
    });
    await expect(beat(task)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('says nothing to a run that is closed', async () => {
    const task = await started('closed');
    await node.rpc('TerminateWorkflowExecution', { workflowExecution: { workflowId: 'closed' } });
    await expect(say('Completed', task)).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'workflow execution already completed' });
  });

  it('is answered in the namespace of its token', async () => {
    const task = await started('foreign');
    await expect(node.rpc('RespondActivityTaskCompleted', { taskToken: task.taskToken }, 'elsewhere')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'Operation requested with a token from a different namespace.',
    });
  });

  test.each([
    ['nothing', undefined],
    ['noise', Buffer.from('noise')],
    ['a token of another kind', Buffer.from(JSON.stringify({ t: 'w' }))],
    ['a run id that is none', Buffer.from(JSON.stringify({ t: 'a', ns: 'x', wid: 'w', run: 'r', s: 5, a: 1, at: 0 }))],
  ])('is not found by %s', async (_what, taskToken) => {
    await expect(node.rpc('RespondActivityTaskCompleted', { taskToken })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('a cancel request', () => {
  it('reaches the worker with its next heartbeat, and ends the activity when the worker says so', async () => {
    await node.start('cancelled');
    await node.step('cancelled', [command.activity('cancelled', 'cancelled-act'), command.timer('t', 1)]);
    const task = await node.pollActivity('cancelled-act');
    expect(await beat(task)).toMatchObject({ cancelRequested: false });
    await expect(say('Canceled', task)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await node.forward(1_000);
    await node.step('cancelled', [cancel(5)]);
    expect(await beat(task)).toMatchObject({ cancelRequested: true });
    await say('Canceled', task, { details: json('bye') });
    expect((await last('cancelled')).activityTaskCanceledEventAttributes!.details!.payloads![0]!.data!.toString()).toBe('"bye"');
  });

  it('ends an activity that nobody has at once', async () => {
    await node.start('cancel-waiting');
    await node.step('cancel-waiting', [command.activity('cancel-waiting', 'cancel-waiting-act'), cancel(5)]);
    expect((await node.story('cancel-waiting')).slice(4)).toEqual([
      'ACTIVITY_TASK_SCHEDULED',
      'ACTIVITY_TASK_CANCEL_REQUESTED',
      'ACTIVITY_TASK_CANCELED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
  });
});

describe('by id', () => {
  it('an activity is completed though no worker took it', async () => {
    await withActivity('by-id');
    await node.rpc('RespondActivityTaskCompletedById', { ...ids('by-id'), result: json('late') });
    expect((await node.story('by-id')).slice(-3)).toEqual(['ACTIVITY_TASK_STARTED', 'ACTIVITY_TASK_COMPLETED', 'WORKFLOW_TASK_SCHEDULED']);
  });

  test.each(['FailedById', 'CanceledById'])('an activity that no worker took cannot be %s', async (what) => {
    await withActivity(`none-${what}`);
    await expect(node.rpc(`RespondActivityTask${what}`, ids(`none-${what}`))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(node.rpc('RecordActivityTaskHeartbeatById', ids(`none-${what}`))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('the present attempt is meant, whoever has it', async () => {
    const first = await started('by-id-attempt');
    await say('Failed', first, { failure: boom });
    await node.forward(1_000);
    await node.pollActivity('by-id-attempt-act');
    expect(await node.rpc('RecordActivityTaskHeartbeatById', { ...ids('by-id-attempt'), details: json(7) })).toMatchObject({
      cancelRequested: false,
    });
    await node.rpc('RespondActivityTaskFailedById', { ...ids('by-id-attempt'), failure: final });
    expect((await last('by-id-attempt')).activityTaskFailedEventAttributes).toMatchObject({
      retryState: RETRY.RETRY_STATE_NON_RETRYABLE_FAILURE,
    });
  });

  test.each<[string, object, string]>([
    ['no activity id', { workflowId: 'w' }, 'ActivityId is not set on request.'],
    ['no workflow id', { activityId: 'a' }, 'WorkflowId is not set on request.'],
    ['a run id that is none', { workflowId: 'w', activityId: 'a', runId: 'r' }, 'Invalid RunId.'],
  ])('%s is refused', async (_what, request, message) => {
    await expect(node.rpc('RespondActivityTaskCompletedById', request)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message });
  });

  it('an activity that there is not is not found', async () => {
    await withActivity('by-id-none');
    const request = { workflowId: 'by-id-none', activityId: 'other' };
    await expect(node.rpc('RespondActivityTaskCompletedById', request)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/ActivityID other/),
    });
  });
});

describe('what is too large', () => {
  it('as a result fails the activity for good', async () => {
    const task = await started('large-result');
    await say('Completed', task, { result: large(2 * MiB) });
    expect((await last('large-result')).activityTaskFailedEventAttributes).toMatchObject({
      failure: { message: 'Complete result exceeds size limit.', serverFailureInfo: { nonRetryable: true } },
      retryState: RETRY.RETRY_STATE_NON_RETRYABLE_FAILURE,
    });
  });

  it('as details of a heartbeat fails the activity, and the worker is told to stop', async () => {
    const task = await started('large-beat');
    expect(await beat(task, { details: large(2 * MiB) })).toEqual({ cancelRequested: true });
    expect((await last('large-beat')).activityTaskFailedEventAttributes!.failure!.message).toBe('Heartbeat details exceed size limit.');
  });

  it('as a failure is kept in part, and the worker is told of it', async () => {
    const task = await started('large-failure');
    const failure = { ...final, stackTrace: 's'.repeat(3 * MiB) };
    const { failures } = await say('Failed', task, { failure, lastHeartbeatDetails: large(2 * MiB) });
    expect(failures.map((f: { message: string }) => f.message)).toEqual([
      'Heartbeat details exceed size limit.',
      'Failure exceeds size limit.',
    ]);
    expect((await last('large-failure')).activityTaskFailedEventAttributes).toMatchObject({ failure: { cause: { message: 'final' } } });
  });

  it('as details of a cancellation fails the activity', async () => {
    const task = await started('large-cancel');
    await node.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId: 'large-cancel' }, signalName: 's' });
    await node.step('large-cancel', [cancel(5)]);
    await say('Canceled', task, { details: large(2 * MiB) });
    expect((await last('large-cancel')).activityTaskFailedEventAttributes!.failure!.message).toBe('Cancel details exceed size limit.');
  });
});

describe('eagerly', () => {
  const eager = (id: string) => {
    const schedule = command.activity(id, 'other-queue');
    Object.assign(schedule.scheduleActivityTaskCommandAttributes!, { requestEagerExecution: true });
    return schedule;
  };

  it('an activity comes with the answer to the worker that asked, and is on no queue', async () => {
    await node.start('eager');
    const answer = (await node.complete(await node.poll('eager'), [eager('one'), eager('two')])) as { activityTasks: ActivityTask[] };
    expect(answer.activityTasks.map((t) => t.activityId)).toEqual(['one', 'two']);
    expect((await pending('eager')).state).toBe(enums.PendingActivityState.PENDING_ACTIVITY_STATE_STARTED);
    for (const task of answer.activityTasks) await say('Completed', task);
    expect((await node.describe('eager')).pendingActivities).toEqual([]);
  });

  it('a worker that was not told of the answer gets the same one again', async () => {
    await node.start('eager-again');
    const task = await node.poll('eager-again');
    const answer = async (): Promise<ActivityTask[]> => ((await node.complete(task, [eager('one'), eager('two')])) as { activityTasks: ActivityTask[] }).activityTasks;
    const tokens = (tasks: readonly ActivityTask[]): string[] => tasks.map(({ taskToken }) => Buffer.from(taskToken).toString());
    const first = await answer();
    expect(tokens(await answer())).toEqual(tokens(first));
    await say('Completed', first[0]!);
    await node.complete(await node.poll('eager-again'));
    expect(tokens(await answer())).toEqual(tokens([first[1]!]));
    await node.rpc('RecordActivityTaskHeartbeat', { taskToken: first[1]!.taskToken, namespace: '' });
    await expect(answer()).rejects.toMatchObject({ code: 'NOT_FOUND' }); // somebody is at it
    expect((await node.story('eager-again')).filter((name) => name === 'ACTIVITY_TASK_SCHEDULED')).toHaveLength(2);
  });

  it('one that the same answer cancels does not begin', async () => {
    await node.start('eager-cancelled');
    const answer = (await node.complete(await node.poll('eager-cancelled'), [eager('one'), cancel(5)])) as {
      activityTasks?: ActivityTask[];
    };
    expect(answer.activityTasks).toBeUndefined();
  });
});

describe('while a workflow task runs', () => {
  it('the end of an activity waits, and then names its start', async () => {
    await node.start('busy');
    await node.step('busy', [command.activity('busy', 'busy-act'), command.timer('t', 1)]);
    const act = await node.pollActivity('busy-act');
    await node.forward(1_000);
    const task = await node.poll('busy');
    await say('Completed', act, { result: json(1) });
    expect((await node.story('busy')).at(-1)).toBe('WORKFLOW_TASK_STARTED');
    expect((await node.describe('busy')).pendingActivities).toEqual([]);
    await node.complete(task);
    const events = await node.events('busy');
    const [startedEvent, closing] = events.slice(-3);
    expect(closing!.activityTaskCompletedEventAttributes!.startedEventId).toEqual(startedEvent!.eventId);
  });
});
