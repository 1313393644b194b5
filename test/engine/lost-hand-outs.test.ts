/** Tasks that count as started though no worker has them: a lost database and a dead node take nobody's task with them. */
import { describe, expect, it } from 'vitest';
import { enums } from '../../server/core/api.js';
import { takeBackFrom } from '../../server/engine/lost-hand-outs.js';
import { DatabaseLost } from '../../server/storage/database.js';
import { command, EngineNode } from '../helpers/engine-node.js';
import { until } from '../helpers/until.js';
import { acceptAll } from '../helpers/updates.js';
import { useNode } from '../helpers/use-node.js';

let node: EngineNode;
const database = useNode((made) => {
  node = made;
});

/** The database is lost with the next commit: it was carried out, or it was not. */
function loseNextCommit(carriedOut: boolean): void {
  const { committer } = node.engine;
  const { commit } = committer;
  committer.commit = async (item) => {
    committer.commit = commit;
    if (carriedOut) await commit.call(committer, item);
    throw new DatabaseLost(new Error('Connection terminated unexpectedly'));
  };
}

const pollers = (queue: string, kind: 1 | 2 = 1): number => {
  const namespaceId = node.engine.registry.peek('default')!.id;
  return node.engine.queues.find({ namespaceId, kind, queue })?.waiting.length ?? 0;
};

/** Polls, and goes on when the poll waits. */
async function waiting<T>(queue: string, poll: Promise<T>, kind: 1 | 2 = 1): Promise<{ poll: Promise<T> }> {
  poll.catch(() => undefined);
  await until('the poll to wait', () => pollers(queue, kind) === 1);
  return { poll };
}

describe('a database that is lost with a commit which hands out', () => {
  it('a workflow task: the worker gets it when the database answers again', async () => {
    const { poll } = await waiting('lost', node.poll('lost'));
    loseNextCommit(true);
    await expect(node.start('lost')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const task = await poll;
    expect(task.history?.events?.map((e) => Number(e.eventId))).toEqual([1, 2, 3]);
    await node.complete(task, [command.complete()]);
    expect((await node.story('lost')).at(-1)).toBe('WORKFLOW_EXECUTION_COMPLETED');
  });

  it('an activity that must not begin twice: the worker gets it', async () => {
    await node.start('single');
    const task = await node.poll('single');
    const { poll } = await waiting('single-activities', node.pollActivity('single-activities'), 2);
    loseNextCommit(true);
    await expect(node.complete(task, [command.activity('a', 'single-activities')])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await poll).toMatchObject({ activityId: 'a', attempt: 1 });
  });

  it('a task that lay in the database: the same', async () => {
    await node.start('stored');
    loseNextCommit(true);
    const task = await node.poll('stored');
    await node.complete(task, [command.complete()]);
  });

  it('and did not carry it out: the worker waits on, and gets the next', async () => {
    const { poll } = await waiting('undone', node.poll('undone'));
    loseNextCommit(false);
    await expect(node.start('undone')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await until('the poll to wait again', () => pollers('undone') === 1);
    await node.start('undone');
    await node.complete(await poll, [command.complete()]);
  });

  it('to a worker that goes away meanwhile: another gets it', async () => {
    let leave = (): void => {};
    const { poll } = await waiting(
      'left',
      node.rpc('PollWorkflowTaskQueue', { taskQueue: { name: 'left' } }, 'default', { onCancelled: (end) => (leave = end) }),
    );
    loseNextCommit(true);
    await expect(node.start('left')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    leave();
    expect((await poll).taskToken?.length ?? 0).toBe(0);
    const task = await node.poll('left');
    expect(task.attempt).toBe(1); // nobody failed at it
    await node.complete(task, [command.complete()]);
  });
});

describe('a node that dies', () => {
  const failed = enums.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FAILOVER_CLOSE_COMMAND;

  it('leaves its last workflow tasks to others, unless they were answered or are certainly known', async () => {
    const dead = new EngineNode(database.url, { clock: node.clock, others: true });
    const other = new EngineNode(database.url, { clock: node.clock, others: true });
    for (const id of ['long-known', 'answered', 'lost-with-it', 'of-another']) await dead.start(id);
    const known = await dead.poll('long-known');
    node.clock.forward(2_000);
    const seenMs = node.clock.now();
    const answered = await dead.poll('answered');
    const lost = await dead.poll('lost-with-it');
    const others = await other.poll('of-another');
    await other.complete(answered, [command.timer('t', 60)]);
    expect(await takeBackFrom(other.engine, { id: dead.engine.nodeId, seenMs })).toBe(1);
    const again = await other.poll('lost-with-it');
    expect(again.attempt).toBe(1);
    await expect(other.complete(lost, [command.complete()])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    for (const task of [again, known, others]) await other.complete(task, [command.complete()]);
    const causes = (await other.events('lost-with-it')).flatMap((e) => e.workflowTaskFailedEventAttributes?.cause ?? []);
    expect(causes).toEqual([failed]);
    await node.expectFoldsToLive();
    await Promise.all([dead.close(), other.close()]);
  });
});

describe('a run whose workflow tasks do not come back', () => {
  const update = (workflowId: string): Promise<object> => {
    const answer = node.rpc('UpdateWorkflowExecution', {
      workflowExecution: { workflowId },
      waitPolicy: { lifecycleStage: enums.UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED },
      request: { meta: { updateId: 'u', identity: 'caller' }, input: { name: 'change' } },
    });
    answer.catch(() => undefined);
    return answer;
  };

  it('because nodes and workers die with them: it takes updates as ever', async () => {
    await node.start('dying', { workflowTaskTimeout: { seconds: 2 } });
    for (let i = 0; i < 4; i++) {
      await node.poll('dying');
      await node.forward(30_000);
    }
    const answer = update('dying');
    const task = await until('the task to have the update', async () => {
      const one = await node.poll('dying');
      if (one.messages!.length > 0) return one;
      await node.forward(30_000);
      return undefined;
    });
    const [commands, more] = acceptAll(task);
    await node.complete(task, commands, more);
    await expect(answer).resolves.toMatchObject({ outcome: { success: {} } });
  });

  it('because its worker fails at them: it takes none', async () => {
    await node.start('failing');
    for (let i = 0; i < 3; i++) {
      const { taskToken } = await node.poll('failing');
      const cause = enums.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE;
      await node.rpc('RespondWorkflowTaskFailed', { taskToken, cause, failure: { message: 'bad' }, namespace: '' });
    }
    await expect(update('failing')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  });
});
