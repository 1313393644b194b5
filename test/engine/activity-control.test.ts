/** Operators' calls on pending activities: one by id, all of a type, all; what comes of them for workers, and which requests are refused. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { enums, fromDuration, fromTimestamp, type temporal, toDuration } from '../../server/core/api.js';
import { type ActivityTask, command, EngineNode, json } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';

type Pending = temporal.api.workflow.v1.IPendingActivityInfo;
const database = useDatabase();
const STATE = enums.PendingActivityState;
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
const boom = { message: 'boom', applicationFailureInfo: { type: 'Boom' } };

/** A run whose activities, named by their ids and types, wait on `<id>-act`. */
async function withActivities(id: string, ...activities: [activityId: string, type: string][]): Promise<void> {
  await node.start(id);
  const schedules = activities.map(([activityId, name]) => {
    const schedule = command.activity(activityId, `${id}-act`);
    Object.assign(schedule.scheduleActivityTaskCommandAttributes!, {
      activityType: { name },
      retryPolicy: { initialInterval: seconds(100) },
    });
    return schedule;
  });
  await node.step(id, schedules);
}
const call = (method: string, workflowId: string, request: object) => node.rpc(method, { execution: { workflowId }, ...request });
const describeAll = async (id: string): Promise<Pending[]> => (await node.describe(id)).pendingActivities!;
const one = async (id: string): Promise<Pending> => (await describeAll(id))[0]!;
const states = async (id: string) => (await describeAll(id)).map((a) => STATE[a.state!]!.replace('PENDING_ACTIVITY_STATE_', ''));
const take = (id: string): Promise<ActivityTask> => node.pollActivity(`${id}-act`);
const fail = (task: ActivityTask) => node.rpc('RespondActivityTaskFailed', { taskToken: task.taskToken, failure: boom });
/** In seconds from now. */
const nextAttempt = async (id: string) => (fromTimestamp((await one(id)).nextAttemptScheduleTime) - node.clock.now()) / 1000;
const pauseInfo = async (id: string) => {
  const payload = (await node.describe(id)).workflowExecutionInfo!.searchAttributes?.indexedFields?.['TemporalPauseInfo'];
  return payload ? JSON.parse(Buffer.from(payload.data!).toString()) : undefined;
};

describe('pausing', () => {
  it('one keeps it from workers until it is resumed, with who and why', async () => {
    await withActivities('pause', ['a', 'Act']);
    await call('PauseActivity', 'pause', { id: 'a', identity: 'operator', reason: 'look' });
    expect(await one('pause')).toMatchObject({ paused: true, pauseInfo: { manual: { identity: 'operator', reason: 'look' } } });
    expect([await states('pause'), await pauseInfo('pause')]).toEqual([['PAUSED'], ['property:activityType=Act']]);
    await call('UnpauseActivity', 'pause', { id: 'a' });
    expect([await states('pause'), await pauseInfo('pause')]).toEqual([['SCHEDULED'], undefined]);
    expect((await take('pause')).attempt).toBe(1);
  });

  it('all of a type leaves the others, and all are resumed at once', async () => {
    await withActivities('types', ['a', 'One'], ['b', 'Two'], ['c', 'One']);
    await call('PauseActivity', 'types', { type: 'One' });
    expect(await states('types')).toEqual(['PAUSED', 'SCHEDULED', 'PAUSED']);
    await call('PauseActivity', 'types', { type: 'Two' });
    expect(await pauseInfo('types')).toEqual(['property:activityType=One', 'property:activityType=Two']);
    await call('UnpauseActivity', 'types', { unpauseAll: true });
    expect(await states('types')).toEqual(['SCHEDULED', 'SCHEDULED', 'SCHEDULED']);
  });

  it('one that runs tells its worker, and holds back the next attempt', async () => {
    await withActivities('running', ['a', 'Act']);
    const task = await take('running');
    await call('PauseActivity', 'running', { id: 'a' });
    expect(await states('running')).toEqual(['PAUSE_REQUESTED']);
    expect(await node.rpc('RecordActivityTaskHeartbeat', { taskToken: task.taskToken })).toMatchObject({
      activityPaused: true,
      cancelRequested: false,
    });
    await fail(task);
    await node.forward(200_000);
    expect([await states('running'), (await one('running')).attempt]).toEqual([['PAUSED'], 2]);
    await call('UnpauseActivity', 'running', { id: 'a', resetAttempts: true });
    expect((await take('running')).attempt).toBe(1);
  });

  it('does not keep a worker from finishing', async () => {
    await withActivities('finishing', ['a', 'Act']);
    const task = await take('finishing');
    await call('PauseActivity', 'finishing', { id: 'a' });
    await node.rpc('RespondActivityTaskCompleted', { taskToken: task.taskToken, result: json('done') });
    expect([await states('finishing'), await pauseInfo('finishing')]).toEqual([[], undefined]);
  });

  it('can be resumed at a random moment within the jitter', async () => {
    await withActivities('jitter', ['a', 'Act']);
    await call('PauseActivity', 'jitter', { id: 'a' });
    await call('UnpauseActivity', 'jitter', { id: 'a', jitter: seconds(1000) });
    const waits = (await node.engine.runs.load((await node.describe('jitter')).workflowExecutionInfo!.execution!.runId!))!.state
      .activities[5]!.attemptScheduledMs;
    expect(waits - node.clock.now()).toBeGreaterThanOrEqual(0);
    expect(waits - node.clock.now()).toBeLessThan(1_000_000);
    await node.forward(1_000_000);
    expect((await take('jitter')).attempt).toBe(1);
  });
});

describe('a reset', () => {
  it('does not wait out the backoff', async () => {
    await withActivities('reset', ['a', 'Act']);
    await fail(await take('reset'));
    expect(await nextAttempt('reset')).toBe(100);
    await call('ResetActivity', 'reset', { id: 'a' });
    expect(await one('reset')).toMatchObject({ attempt: 1 });
    expect((await take('reset')).attempt).toBe(1);
  });

  it('voids a later attempt that runs, and tells a first one', async () => {
    await withActivities('reset-running', ['a', 'Act']);
    const first = await take('reset-running');
    await call('ResetActivity', 'reset-running', { id: 'a' });
    expect(await node.rpc('RecordActivityTaskHeartbeat', { taskToken: first.taskToken })).toMatchObject({ activityReset: true });
    await fail(first);
    await node.forward(100_000);
    const second = await take('reset-running');
    await call('ResetActivity', 'reset-running', { id: 'a' });
    await expect(node.rpc('RecordActivityTaskHeartbeat', { taskToken: second.taskToken })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('can forget the heartbeat, and leave the activity paused', async () => {
    await withActivities('reset-beat', ['a', 'Act']);
    const task = await take('reset-beat');
    await node.rpc('RecordActivityTaskHeartbeat', { taskToken: task.taskToken, details: json('half') });
    await fail(task);
    await call('PauseActivity', 'reset-beat', { id: 'a' });
    await call('ResetActivity', 'reset-beat', { id: 'a', keepPaused: true, resetHeartbeat: true });
    expect([await states('reset-beat'), (await one('reset-beat')).heartbeatDetails ?? null]).toEqual([['PAUSED'], null]);
    await call('ResetActivity', 'reset-beat', { id: 'a' });
    expect((await take('reset-beat')).heartbeatDetails ?? null).toBeNull();
  });

  it('can bring back the options that the activity was scheduled with', async () => {
    await withActivities('reset-options', ['a', 'Act'], ['b', 'Act']);
    const changes = { activityOptions: { startToCloseTimeout: seconds(5) }, updateMask: { paths: ['start_to_close_timeout'] } };
    await call('UpdateActivityOptions', 'reset-options', { matchAll: true, ...changes });
    const timeouts = async () =>
      (await describeAll('reset-options')).map((a) => fromDuration(a.activityOptions!.startToCloseTimeout) / 1000);
    expect(await timeouts()).toEqual([5, 5]);
    await call('ResetActivity', 'reset-options', { id: 'a', restoreOriginalOptions: true });
    expect(await timeouts()).toEqual([60, 5]);
  });
});

describe('options', () => {
  const update = (id: string, activityOptions: object, ...paths: string[]) =>
    call('UpdateActivityOptions', id, { id: 'a', activityOptions, updateMask: { paths } });

  it('move an activity to another queue, from which alone it is then taken', async () => {
    await withActivities('move', ['a', 'Act']);
    const answer = await update('move', { taskQueue: { name: 'move-other' } }, 'task_queue.name');
    expect(answer.activityOptions.taskQueue.name).toBe('move-other');
    expect((await node.pollActivity('move-other')).activityId).toBe('a');
  });

  it('time the attempt that waits', async () => {
    await withActivities('time', ['a', 'Act']);
    await fail(await take('time'));
    await update('time', { retryPolicy: { initialInterval: seconds(3) } }, 'retry_policy.initial_interval');
    expect(await nextAttempt('time')).toBe(3);
    await node.forward(3_000);
    expect((await take('time')).attempt).toBe(2);
  });

  it('end an activity that is past its new timeout', async () => {
    await withActivities('past', ['a', 'Act']);
    await take('past');
    node.clock.forward(20_000);
    await update(
      'past',
      { startToCloseTimeout: seconds(10), retryPolicy: { maximumAttempts: 1 } },
      'start_to_close_timeout',
      'retry_policy.maximum_attempts',
    );
    await node.forward(0);
    expect((await node.story('past')).at(-2)).toBe('ACTIVITY_TASK_TIMED_OUT');
  });

  it('come back as they were', async () => {
    await withActivities('back', ['a', 'Act']);
    await update('back', { heartbeatTimeout: seconds(7), priority: { priorityKey: 1 } }, 'heartbeat_timeout', 'priority');
    expect(await one('back')).toMatchObject({ priority: { priorityKey: 1 }, activityOptions: { heartbeatTimeout: seconds(7) } });
    const answer = await call('UpdateActivityOptions', 'back', { id: 'a', restoreOriginal: true });
    expect([fromDuration(answer.activityOptions.heartbeatTimeout), answer.activityOptions.priority ?? null]).toEqual([0, null]);
  });

  test.each<[string, object, string]>([
    ['no options', { updateMask: { paths: [] } }, 'ActivityOptions are not provided'],
    ['no mask', { activityOptions: {} }, 'UpdateMask is not provided'],
    [
      'both ways',
      { activityOptions: {}, updateMask: { paths: ['priority'] }, restoreOriginal: true },
      'Both UpdateMask and RestoreOriginal are provided',
    ],
    ['a part that is missing', { activityOptions: {}, updateMask: { paths: ['retry_policy'] } }, 'RetryPolicy is not provided'],
  ])('are refused with %s', async (what, request, message) => {
    const id = `refused ${what}`;
    await withActivities(id, ['a', 'Act']);
    await expect(call('UpdateActivityOptions', id, { id: 'a', ...request })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message });
  });
});

describe('the names that name one activity', () => {
  const single = (method: string, workflowId: string, more: object = {}) => node.rpc(method, { workflowId, activityId: 'a', ...more });

  it('do the same', async () => {
    await withActivities('single', ['a', 'Act']);
    await single('PauseActivityExecution', 'single', { reason: 'look' });
    expect(await states('single')).toEqual(['PAUSED']);
    await single('UnpauseActivityExecution', 'single');
    await single('UpdateActivityExecutionOptions', 'single', {
      activityOptions: { heartbeatTimeout: seconds(2) },
      updateMask: { paths: ['heartbeat_timeout'] },
    });
    const task = await take('single');
    expect(fromDuration(task.heartbeatTimeout)).toBe(2_000);
    await fail(task);
    await single('ResetActivityExecution', 'single', { restoreOriginalOptions: true });
    expect(fromDuration((await take('single')).heartbeatTimeout)).toBe(0);
  });

  test.each<[string, string, object, string]>([
    ['no activity', 'PauseActivityExecution', { activityId: '' }, 'INVALID_ARGUMENT'],
    ['an activity without a workflow', 'PauseActivityExecution', { workflowId: '' }, 'UNIMPLEMENTED'],
    ['a jitter that is none', 'UnpauseActivityExecution', { jitter: seconds(-1) }, 'INVALID_ARGUMENT'],
    [
      'a path that is not known',
      'UpdateActivityExecutionOptions',
      { activityOptions: {}, updateMask: { paths: ['x'] } },
      'INVALID_ARGUMENT',
    ],
    ['no path', 'UpdateActivityExecutionOptions', { activityOptions: {}, updateMask: { paths: [] } }, 'INVALID_ARGUMENT'],
  ])('refuse %s', async (_what, method, request, code) => {
    await expect(single(method, 'nowhere', request)).rejects.toMatchObject({ code });
  });
});

describe.each(['PauseActivity', 'UnpauseActivity', 'ResetActivity', 'UpdateActivityOptions'])('%s', (method) => {
  const options = { activityOptions: { priority: {} }, updateMask: { paths: ['priority'] } };

  it('needs a workflow and an activity', async () => {
    await expect(node.rpc(method, { id: 'a' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'WorkflowId is not set on request.',
    });
    await expect(call(method, 'w', {})).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('does not find what is not there', async () => {
    await expect(call(method, 'nowhere', { id: 'a', ...options })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const id = `none-${method}`;
    await withActivities(id, ['a', 'Act']);
    await expect(call(method, id, { id: 'b', ...options })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(call(method, id, { type: 'Other', ...options })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await node.rpc('TerminateWorkflowExecution', { workflowExecution: { workflowId: id } });
    await expect(call(method, id, { id: 'a', ...options })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'workflow execution already completed',
    });
  });
});
