/**
 * Two server nodes on one database: the caller is at one, the worker polls the other and may answer at either. Once with notifications, and once
 * on a database where none ever arrives: then everything still happens, only later.
 */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';
import { message } from '../helpers/updates.js';
import { call, COMPLETES, type Node, startNode } from './approvals-kit.js';

type Fields = Record<string, unknown>;
type Task = Fields & {
  taskToken: Buffer;
  query?: unknown;
  queries: Record<string, unknown>;
  messages: { id: string; protocolInstanceId: string; eventId: string }[];
};

/** `pg_notify` that says nothing, found before the real one. */
const MUTE = `create schema mute;
  create function mute.pg_notify(text, text) returns void language sql as 'select';`;

async function mute(database: TestDatabase): Promise<void> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(`${MUTE} alter database ${database.name} set search_path = mute, pg_catalog, public`);
  await client.end();
}

const json = (value: unknown) => ({
  payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(value)) }],
});
const unpacked = (payloads: unknown): unknown => JSON.parse((payloads as { payloads: { data: Buffer }[] }).payloads[0]!.data.toString());

describe.each([
  ['notifications arrive', false],
  ['notifications are lost', true],
])('when %s', (_how, muted) => {
  let database: TestDatabase;
  let caller: Node;
  let worker: Node;

  beforeAll(async () => {
    database = await createDatabase();
    if (muted) await mute(database);
    caller = await startNode(database.url);
    worker = await startNode(database.url);
  });
  afterAll(async () => {
    await Promise.all([caller.stop(), worker.stop()]);
    await database.drop();
  });

  const poll = async (queue: string, node = worker, more: object = {}): Promise<Task> => {
    const task = (await call(node, 'PollWorkflowTaskQueue', { taskQueue: { name: queue, ...more }, identity: 'worker' })) as Task;
    if (!task.taskToken?.length) throw new Error(`no task on ${queue}`);
    return task;
  };
  const complete = (node: Node, task: Task, more: object = {}): Promise<Fields> =>
    call(node, 'RespondWorkflowTaskCompleted', { taskToken: task.taskToken, ...more });
  const respond = (node: Node, task: Task, value: unknown): Promise<Fields> =>
    call(node, 'RespondQueryTaskCompleted', {
      taskToken: task.taskToken,
      completedType: 'QUERY_RESULT_TYPE_ANSWERED',
      queryResult: json(value),
    });
  const query = (workflowId: string, node = caller): Promise<Fields> =>
    call(node, 'QueryWorkflow', { execution: { workflowId }, query: { queryType: 'state' } });
  const results = (task: Task, value: unknown): object => ({
    queryResults: Object.fromEntries(
      Object.keys(task.queries).map((id) => [id, { resultType: 'QUERY_RESULT_TYPE_ANSWERED', answer: json(value) }]),
    ),
  });
  const update = (workflowId: string, updateId = 'u'): Promise<Fields> =>
    call(caller, 'UpdateWorkflowExecution', {
      workflowExecution: { workflowId },
      waitPolicy: { lifecycleStage: 'UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED' },
      request: { meta: { updateId }, input: { name: 'change', args: json(updateId) } },
    });

  async function started(): Promise<string> {
    const workflowId = `run-${randomUUID()}`;
    await call(caller, 'StartWorkflowExecution', {
      workflowId,
      workflowType: { name: 'T' },
      taskQueue: { name: workflowId },
      requestId: randomUUID(),
    });
    return workflowId;
  }
  async function idle(more: object = {}): Promise<string> {
    const workflowId = await started();
    await complete(worker, await poll(workflowId), more);
    return workflowId;
  }

  it.each(['where it polled', 'where the caller is'])(
    'a query is answered by a worker that polls the other node and answers %s',
    async (where) => {
      const workflowId = await idle();
      const polling = poll(workflowId);
      const answer = query(workflowId);
      const task = await polling;
      expect(task.query).toMatchObject({ queryType: 'state' });
      await respond(where === 'where it polled' ? worker : caller, task, 42);
      expect(unpacked((await answer).queryResult)).toBe(42);
    },
  );

  it('a query that was asked before any worker came is taken by the one that comes', async () => {
    const workflowId = await idle();
    const answer = query(workflowId);
    await respond(worker, await poll(workflowId), 'late');
    expect(unpacked((await answer).queryResult)).toBe('late');
  });

  it('queries of both nodes ride on one workflow task, and are answered with it', async () => {
    const held = await started();
    let task = await poll(held);
    const answers = [query(held, caller), query(held, worker)];
    const goOn = { forceCreateNewWorkflowTask: true, returnNewWorkflowTask: true };
    await until('a task with both queries', async () => {
      task = (await complete(worker, task, goOn)).workflowTask as Task;
      return Object.keys(task.queries).length === 2;
    });
    await complete(worker, task, results(task, 'riding'));
    for (const answer of await Promise.all(answers)) expect(unpacked(answer.queryResult)).toBe('riding');
  });

  it('a query waits for the task that a worker of the other node has, and sees what it did', async () => {
    const workflowId = await started();
    const held = await poll(workflowId);
    const answer = query(workflowId);
    await complete(worker, held);
    const task = await poll(workflowId);
    if (task.query) await respond(worker, task, 'after');
    else await complete(worker, task, results(task, 'after'));
    expect(unpacked((await answer).queryResult)).toBe('after');
  });

  it("a query goes to the other node's worker that holds the run", async () => {
    const own = `own-${randomUUID()}`;
    const polling = poll(own, worker, { kind: 'TASK_QUEUE_KIND_STICKY' });
    const workflowId = await idle({
      stickyAttributes: { workerTaskQueue: { name: own, kind: 'TASK_QUEUE_KIND_STICKY' }, scheduleToStartTimeout: { seconds: 10 } },
    });
    const answer = query(workflowId);
    const task = await polling;
    expect((task.history as { events?: object[] } | undefined)?.events ?? []).toEqual([]);
    await respond(worker, task, 'held');
    expect(unpacked((await answer).queryResult)).toBe('held');
  });

  it('an update is accepted, rejected or ignored by a worker of the other node', async () => {
    const workflowId = await idle();
    for (const [updateId, answerOf, expected] of [
      ['accept', (m: object) => [message.accept(m), message.respond(m)], { success: {} }],
      ['reject', (m: object) => [message.reject(m, 'not now')], { failure: { message: 'not now' } }],
      ['ignore', () => [], { failure: { applicationFailureInfo: { type: 'UnprocessedUpdate' } } }],
    ] as const) {
      const polling = poll(workflowId);
      const answer = update(workflowId, updateId);
      const task = await polling;
      const [request] = task.messages;
      await complete(worker, task, { messages: answerOf({ ...request, eventId: Number(request!.eventId) as never }) });
      expect((await answer).outcome).toMatchObject(expected);
    }
  });

  it('a caller that waits for the end of a run hears it from the other node', async () => {
    const workflowId = await started();
    const task = await poll(workflowId);
    const waiting = call(caller, 'GetWorkflowExecutionHistory', {
      execution: { workflowId },
      waitNewEvent: true,
      historyEventFilterType: 'HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT',
    });
    for (let i = 0; i < 3; i++) await call(caller, 'DescribeWorkflowExecution', { execution: { workflowId } }); // the wait has begun by then
    await complete(worker, task, { commands: [COMPLETES] });
    const { history } = (await waiting) as { history: { events: { eventType: string }[] } };
    expect(history.events.map((e) => e.eventType)).toEqual(['EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED']);
  });

  it('reads see what the other node acknowledged a moment before', async () => {
    const workflowId = await started();
    for (let i = 0; i < 20; i++) {
      await call(worker, 'SignalWorkflowExecution', { workflowExecution: { workflowId }, signalName: `s${i}` });
      const { history } = (await call(caller, 'GetWorkflowExecutionHistory', { execution: { workflowId } })) as {
        history: { events: object[] };
      };
      expect(history.events).toHaveLength(3 + i);
    }
  });

  it('nothing of the queries is left behind', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await until('the rows of queries to be gone', async () => {
      const { rows } = await client.query<{ left: string }>(
        'select (select count(*) from queries) + (select count(*) from query_answers) as left',
      );
      return rows[0]!.left === '0';
    });
    await client.end();
  });
});

describe('a node that comes', () => {
  it('is known to the others before it serves', async () => {
    const database = await createDatabase();
    await mute(database);
    const first = await startNode(database.url);
    const workflowId = `run-${randomUUID()}`;
    await call(first, 'StartWorkflowExecution', {
      workflowId,
      workflowType: { name: 'T' },
      taskQueue: { name: workflowId },
      requestId: randomUUID(),
    });
    const second = await startNode(database.url);
    await call(second, 'SignalWorkflowExecution', { workflowExecution: { workflowId }, signalName: 'go' });
    const { history } = (await call(first, 'GetWorkflowExecutionHistory', { execution: { workflowId } })) as {
      history: { events: object[] };
    };
    expect(history.events).toHaveLength(3);
    await Promise.all([first.stop(), second.stop()]);
    await database.drop();
  });

  it('waits for no node that knows of others: one that is frozen would hold it up', async () => {
    const database = await createDatabase();
    const first = await startNode(database.url);
    const second = await startNode(database.url);
    const pool = new pg.Client({ connectionString: database.url });
    await pool.connect();
    await until('both to know', async () => (await pool.query('select 1 from nodes where not alone')).rows.length === 2);
    // a third that was seen a moment ago, knows of others, and never stirs again
    await pool.query('insert into nodes (node_id, host, pid, started_ms, seen_ms, alone) values ($1, $2, 1, 1, $3, false)', [randomUUID(), 'elsewhere', Date.now()]);
    const begun = performance.now();
    const third = await startNode(database.url);
    expect(performance.now() - begun).toBeLessThan(2_000);
    await Promise.all([first.stop(), second.stop(), third.stop()]);
    await until('nobody to be there but the one that never stirs', async () => (await pool.query('select 1 from nodes')).rows.length === 1);
    await pool.end();
    await database.drop();
  });
});
