/** Two real nodes on one database: what is set at one holds at the other, and what happens at one is told at the other. Once without notifications. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';
import { call, type Node, startNode } from './approvals-kit.js';

/** `pg_notify` that says nothing, found before the real one. */
const MUTE = `create schema mute;
  create function mute.pg_notify(text, text) returns void language sql as 'select';`;

describe.each([
  ['notifications arrive', false],
  ['notifications are lost', true],
])('when %s', (_how, muted) => {
  let database: TestDatabase;
  let here: Node;
  let there: Node;

  beforeAll(async () => {
    database = await createDatabase();
    if (muted) {
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      await client.query(`${MUTE} alter database ${database.name} set search_path = mute, pg_catalog, public`);
      await client.end();
    }
    here = await startNode(database.url);
    there = await startNode(database.url);
  });
  afterAll(async () => {
    await Promise.all([here.stop(), there.stop()]);
    await database.drop();
  });

  const queue = { name: 'work' };
  const limit = (requestsPerSecond?: number) =>
    call(here, 'UpdateTaskQueueConfig', {
      taskQueue: 'work',
      taskQueueType: 'TASK_QUEUE_TYPE_ACTIVITY',
      updateQueueRateLimit: { rateLimit: requestsPerSecond === undefined ? undefined : { requestsPerSecond } },
    });
  // biome-ignore lint/suspicious/noExplicitAny: an answer of the open API, of which the test reads a few fields
  const describeAt = (node: Node): Promise<any> =>
    call(node, 'DescribeTaskQueue', { taskQueue: queue, taskQueueType: 'TASK_QUEUE_TYPE_ACTIVITY', reportStats: true });

  it('a limit that is set at one node holds polls of the other, until it is taken away', async () => {
    const got: unknown[] = [];
    const poll = async (): Promise<void> => {
      const task = await call(there, 'PollActivityTaskQueue', { taskQueue: queue, identity: 'far' });
      if ((task['taskToken'] as Buffer | undefined)?.length) got.push(task['activityId']);
    };
    await limit(0);
    expect((await describeAt(there)).effectiveRateLimit).toMatchObject({ rateLimitSource: 'RATE_LIMIT_SOURCE_API' });
    const polls = [poll(), poll()];
    // whoever tells of its polls has read again what is set
    await until('the polls are known here', async () =>
      (await describeAt(here)).pollers.some((p: { identity: string }) => p.identity === 'far'),
    );
    await call(here, 'StartWorkflowExecution', {
      workflowId: 'wf',
      workflowType: { name: 'T' },
      taskQueue: { name: 'flow' },
      requestId: 'r',
    });
    const task = await call(here, 'PollWorkflowTaskQueue', { taskQueue: { name: 'flow' } });
    const commands = ['a', 'b'].map((activityId) => ({
      commandType: 'COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK',
      scheduleActivityTaskCommandAttributes: {
        activityId,
        activityType: { name: 'A' },
        taskQueue: queue,
        startToCloseTimeout: { seconds: 60 },
      },
    }));
    await call(here, 'RespondWorkflowTaskCompleted', { taskToken: task['taskToken'], commands });
    await until('the backlog', async () => Number((await describeAt(there)).stats.approximateBacklogCount) === 2);
    // the sweep of each node has looked for tasks by then
    const since = Date.now();
    await until('sweeps', () => Date.now() - since > 2_500);
    expect(got).toEqual([]);
    await limit();
    await Promise.all(polls);
    expect(got.sort()).toEqual(['a', 'b']);
    await until('what went is told here', async () => (await describeAt(here)).stats.tasksDispatchRate > 0);
  });

  it('a worker that spoke at one node is listed at the other', async () => {
    await call(there, 'RecordWorkerHeartbeat', { workerHeartbeat: [{ workerInstanceKey: 'w', taskQueue: 'work' }] });
    const { workers } = await call(here, 'ListWorkers', { query: "TaskQueue = 'work'" });
    expect(workers).toMatchObject([{ workerInstanceKey: 'w' }]);
  });
});
