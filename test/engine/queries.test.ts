/** Queries on one node: how they get to a worker, what comes back, and why they may not be asked. */
import { describe, expect, it } from 'vitest';
import { enums, type temporal, toDuration, toNumber } from '../../server/core/api.js';
import { command, type EngineNode, json, type WorkflowTask } from '../helpers/engine-node.js';
import { until } from '../helpers/until.js';
import { useNode } from '../helpers/use-node.js';

type Answer = temporal.api.workflowservice.v1.IQueryWorkflowResponse;
const RESULT = enums.QueryResultType;
const REJECT = enums.QueryRejectCondition;

let node: EngineNode;
useNode((made) => {
  node = made;
});

interface Wish {
  forMs?: number;
  [field: string]: unknown;
}

/** Asks; the answer is awaited later. `forMs`: how long the caller waits. */
function query(workflowId: string, { forMs, ...more }: Wish = {}): Promise<Answer> {
  const call = forMs === undefined ? {} : { deadline: node.clock.now() + 500 + forMs };
  const answer = node.rpc(
    'QueryWorkflow',
    { execution: { workflowId }, query: { queryType: 'state', queryArgs: json('arg') }, ...more },
    'default',
    call,
  );
  answer.catch(() => undefined);
  return answer;
}

/** Waits until the query rides on the run's next task. */
const rides = (runId: string, count = 1): Promise<unknown> =>
  until('a riding query', () => node.engine.queries.ridingOn(runId).length === count);

const respond = (task: WorkflowTask, more: object = { queryResult: json(42) }): Promise<object> =>
  node.rpc('RespondQueryTaskCompleted', { taskToken: task.taskToken, completedType: RESULT.QUERY_RESULT_TYPE_ANSWERED, ...more });

const answered = (task: WorkflowTask, value: unknown): object => ({
  queryResults: Object.fromEntries(
    Object.keys(task.queries).map((id) => [id, { resultType: RESULT.QUERY_RESULT_TYPE_ANSWERED, answer: json(value) }]),
  ),
});

const signal = (workflowId: string): Promise<unknown> =>
  node.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId }, signalName: 'go' });
const ids = (task: WorkflowTask): number[] => (task.history?.events ?? []).map((e) => toNumber(e.eventId));
const NOT_READY = { code: 'FAILED_PRECONDITION', details: [{ type: expect.stringContaining('WorkflowNotReadyFailure') }] };
const STICKY = (queue: string): object => ({
  stickyAttributes: { workerTaskQueue: { name: queue, kind: 2 }, scheduleToStartTimeout: toDuration(200) },
});

async function idle(workflowId: string): Promise<string> {
  const runId = await node.start(workflowId);
  await node.step(workflowId);
  return runId;
}

describe('a query of an idle run', () => {
  it('is a task of its own with the whole history', async () => {
    await idle('idle');
    const answer = query('idle');
    const task = await node.poll('idle');
    expect(task.query).toMatchObject({ queryType: 'state' });
    expect(ids(task)).toEqual([1, 2, 3, 4]);
    expect([toNumber(task.previousStartedEventId), toNumber(task.startedEventId), task.attempt]).toEqual([3, 0, 1]);
    expect(await respond(task)).toEqual({});
    expect(await answer).toEqual({ queryResult: json(42) });
    await expect(respond(task)).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'query task not found, or already expired' });
    expect(await node.story('idle')).toHaveLength(4);
  });

  it('is answered by a worker that comes later', async () => {
    await idle('comes-later');
    const polling = node.poll('comes-later');
    const answer = query('comes-later');
    await respond(await polling);
    expect(await answer).toEqual({ queryResult: json(42) });
  });

  it('fails as its handler fails, with the failure or the text alone', async () => {
    await idle('fails');
    const failure = { message: 'blew up', applicationFailureInfo: { type: 'QueryError' } };
    for (const more of [{ errorMessage: 'blew up', failure }, { errorMessage: 'unknown query' }]) {
      const answer = query('fails');
      await respond(await node.poll('fails'), { completedType: RESULT.QUERY_RESULT_TYPE_FAILED, ...more });
      await expect(answer).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: more.errorMessage,
        details: [{ type: expect.stringContaining('QueryFailedFailure') }],
      });
    }
  });

  it('fails when its answer is too large', async () => {
    await idle('large');
    const answer = query('large');
    await respond(await node.poll('large'), { queryResult: json('x'.repeat(2_200_000)) });
    await expect(answer).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: 'Blob data size exceeds limit.' });
  });

  it('is refused an answer that is neither', async () => {
    await idle('neither');
    const answer = query('neither');
    const task = await node.poll('neither');
    await expect(respond(task, { completedType: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await respond(task);
    await answer;
  });

  it('goes to the worker that holds the run, without any history', async () => {
    await node.start('sticky');
    const polling = node.poll('sticky-own');
    await node.complete(await node.poll('sticky'), [], STICKY('sticky-own'));
    const answer = query('sticky');
    const task = await polling;
    expect(ids(task)).toEqual([]);
    await respond(task);
    await answer;
  });

  it('goes to any worker when the one that holds the run lets it lie', async () => {
    const runId = await node.start('lets-lie');
    const polling = node.poll('lets-lie-own');
    await node.complete(await node.poll('lets-lie'), [], STICKY('lets-lie-own'));
    const answer = query('lets-lie');
    await polling;
    node.clock.forward(200);
    const task = await node.poll('lets-lie');
    expect(ids(task)).toEqual([1, 2, 3, 4]);
    await respond(task);
    await answer;
    expect((await node.engine.runs.load(runId))!.state.sticky).toBeNull();
  });

  it('goes to any worker when the one that held the run is gone', async () => {
    await node.start('gone');
    await node.complete(await node.poll('gone'), [], STICKY('gone-own'));
    const answer = query('gone');
    await respond(await node.poll('gone'));
    await answer;
  });
});

describe('a query of a run whose workflow task is pending', () => {
  it('rides on that task, behind what it must see', async () => {
    const runId = await idle('rides');
    await signal('rides');
    const answer = query('rides');
    await rides(runId);
    const task = await node.poll('rides');
    expect(Object.values(task.queries)).toMatchObject([{ queryType: 'state' }]);
    expect(ids(task)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    await node.complete(task, [], answered(task, 8));
    expect(await answer).toEqual({ queryResult: json(8) });
  });

  it('waits for the task that a worker has, and comes after it', async () => {
    const runId = await node.start('held');
    const held = await node.poll('held');
    const answer = query('held');
    await rides(runId);
    await node.complete(held);
    const task = await node.poll('held');
    expect(task.query).toMatchObject({ queryType: 'state' });
    await respond(task, { queryResult: json(7) });
    expect(await answer).toEqual({ queryResult: json(7) });
  });

  it('waits for the first task', async () => {
    const runId = await node.start('first');
    const answer = query('first');
    await rides(runId);
    const task = await node.poll('first');
    await node.complete(task, [], answered(task, 5));
    expect(await answer).toEqual({ queryResult: json(5) });
  });

  it('comes as a task of its own when its result is missing', async () => {
    const runId = await idle('missing');
    await signal('missing');
    const answer = query('missing');
    await rides(runId);
    await node.step('missing');
    await respond(await node.poll('missing'), { queryResult: json(9) });
    expect(await answer).toEqual({ queryResult: json(9) });
  });

  it('rides again when the task fails', async () => {
    const runId = await idle('fails-once');
    await signal('fails-once');
    const answer = query('fails-once');
    await rides(runId);
    await node.rpc('RespondWorkflowTaskFailed', { taskToken: (await node.poll('fails-once')).taskToken });
    const task = await node.poll('fails-once');
    expect(Object.keys(task.queries)).toHaveLength(1);
    await node.complete(task, [], answered(task, 1));
    expect(await answer).toEqual({ queryResult: json(1) });
  });

  it('rides in the answer to the task before, and fails with a text', async () => {
    const runId = await node.start('returned');
    const held = await node.poll('returned');
    const answer = query('returned');
    await rides(runId);
    const { workflowTask: next } = (await node.complete(held, [], { forceCreateNewWorkflowTask: true, returnNewWorkflowTask: true })) as {
      workflowTask: WorkflowTask;
    };
    const [id] = Object.keys(next.queries);
    await node.complete(next, [], {
      queryResults: { [id!]: { resultType: RESULT.QUERY_RESULT_TYPE_FAILED, errorMessage: 'no such thing' } },
    });
    await expect(answer).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: 'no such thing' });
  });

  it('is turned away when too many wait already', async () => {
    const runId = await node.start('crowded');
    const answers = Array.from({ length: 100 }, () => query('crowded'));
    await rides(runId, 100);
    await expect(query('crowded')).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    const task = await node.poll('crowded');
    await node.complete(task, [], answered(task, 1));
    await Promise.all(answers);
  });
});

describe('a query of a closed run', () => {
  it('is answered from its history', async () => {
    await node.start('closed');
    await node.step('closed', [command.complete()]);
    const answer = query('closed');
    const task = await node.poll('closed');
    expect(ids(task)).toEqual([1, 2, 3, 4, 5]);
    await respond(task);
    expect(await answer).toEqual({ queryResult: json(42) });
  });

  const CLOSED = [
    ['completed', command.complete(), false],
    ['failed', command.fail(), true],
    ['continued', command.continueAsNew(), true],
  ] as const;

  it.each(CLOSED)('may be rejected: %s', async (how, close, notCleanly) => {
    const runId = await node.start(how);
    await node.step(how, [close]);
    const execution = { workflowId: how, runId };
    const status = (await node.engine.runs.load(runId))!.state.status;
    expect(await query(how, { execution, queryRejectCondition: REJECT.QUERY_REJECT_CONDITION_NOT_OPEN })).toEqual({
      queryRejected: { status },
    });
    const cleanly = query(how, { execution, queryRejectCondition: REJECT.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY });
    if (notCleanly) expect(await cleanly).toEqual({ queryRejected: { status } });
    else {
      await respond(await node.poll(how));
      expect(await cleanly).toEqual({ queryResult: json(42) });
    }
  });

  it('that no worker ever saw cannot be answered', async () => {
    await node.start('unseen');
    await node.rpc('TerminateWorkflowExecution', { workflowExecution: { workflowId: 'unseen' } });
    await expect(query('unseen')).rejects.toMatchObject(NOT_READY);
  });

  it('is told to who waits for its next task, when it closes meanwhile', async () => {
    const runId = await node.start('closes');
    const held = await node.poll('closes');
    const answer = query('closes');
    await rides(runId);
    await node.complete(held, [command.complete()]);
    await respond(await node.poll('closes'));
    expect(await answer).toEqual({ queryResult: json(42) });
  });
});

describe('a query that cannot be answered', () => {
  it('is told at once while the workflow task keeps failing, also to who waits already', async () => {
    const runId = await node.start('failing');
    const waiting = query('failing');
    await rides(runId);
    for (let i = 0; i < 2; i++) await node.rpc('RespondWorkflowTaskFailed', { taskToken: (await node.poll('failing')).taskToken });
    await expect(waiting).rejects.toMatchObject(NOT_READY);
    await expect(query('failing')).rejects.toMatchObject(NOT_READY);
  });

  it('is told at once when the first task comes too late', async () => {
    await node.start('delayed', { workflowStartDelay: toDuration(60_000) });
    await expect(query('delayed', { forMs: 100 })).rejects.toMatchObject({ ...NOT_READY, message: 'Workflow task is not scheduled yet.' });
  });

  it('times out when a worker polls and does not answer', async () => {
    await idle('silent');
    await expect(query('silent', { forMs: 50 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(node.engine.queries.size).toBe(0);
  });

  it('says so when no worker was there lately', async () => {
    await idle('nobody');
    node.clock.forward(20_001);
    await expect(query('nobody', { forMs: 50 })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('no poller seen'),
    });
  });

  it('is forgotten when its caller goes away', async () => {
    await idle('gone-away');
    let goAway = (): void => undefined;
    const onCancelled = (listener: () => void): void => {
      goAway = listener;
    };
    const left = node.rpc('QueryWorkflow', { execution: { workflowId: 'gone-away' }, query: { queryType: 'state' } }, 'default', {
      onCancelled,
    });
    await until('the query', () => node.engine.queries.size === 1);
    goAway();
    await expect(left).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(node.engine.queries.size).toBe(0);
  });

  it('names the run that is not there', async () => {
    await expect(query('nobody-at-all')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(query('idle', { execution: { workflowId: 'idle', runId: '00000000-0000-4000-8000-000000000000' } })).rejects.toMatchObject(
      { code: 'NOT_FOUND' },
    );
    await expect(query('idle', { query: {} })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'QueryType is not set on request.',
    });
  });
});
