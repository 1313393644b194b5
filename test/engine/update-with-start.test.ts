/** ExecuteMultiOperation: a start and an update, of which both happen or none. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api, enums, type temporal } from '../../server/core/api.js';
import type { ServiceError } from '../../server/core/errors.js';
import { lookAtAllUpdates } from '../../server/engine/update-status.js';
import type { CommitResult } from '../../server/storage/commit-item.js';
import { command, EngineNode, json } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';
import { ACCEPTED, acceptAll, COMPLETED, message, UpdateStories, updateRequest } from '../helpers/updates.js';

type Response = temporal.api.workflowservice.v1.IExecuteMultiOperationResponse;
type Status = temporal.api.errordetails.v1.MultiOperationExecutionFailure.IOperationStatus;
const POLICY = enums.WorkflowIdConflictPolicy;
const USE_EXISTING = POLICY.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING;
const FAIL = POLICY.WORKFLOW_ID_CONFLICT_POLICY_FAIL;
const TERMINATE_EXISTING = POLICY.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING;

const database = useDatabase();
let node: EngineNode;
let story: UpdateStories;

beforeAll(async () => {
  node = new EngineNode(database.url);
  story = new UpdateStories(node);
  await node.addNamespace('default');
});
afterAll(async () => {
  await node.expectFoldsToLive();
  await node.close();
});

interface Wish {
  start?: object;
  update?: object;
  updateId?: string;
  stage?: number;
}

function execute(workflowId: string, { start = {}, update = {}, updateId = 'u', stage = COMPLETED }: Wish = {}): Promise<Response> {
  const startWorkflow = {
    workflowId,
    workflowType: { name: 'Test' },
    taskQueue: { name: workflowId },
    requestId: `start-${Math.random()}`,
    ...start,
  };
  const updateWorkflow = { ...updateRequest(workflowId, updateId, { stage }), ...update };
  const answer = node.rpc('ExecuteMultiOperation', { operations: [{ startWorkflow }, { updateWorkflow }] });
  answer.catch(() => undefined);
  return answer;
}

const parts = async (answer: Promise<Response>) => {
  const [start, update] = (await answer).responses!;
  return { start: start!.startWorkflow!, update: update!.updateWorkflow! };
};

/** Code and text of each operation, and the code of the whole. */
async function failureOf(answer: Promise<Response>): Promise<{ code: string; start: Status; update: Status }> {
  const error = (await answer.then(
    () => expect.fail('it was to fail'),
    (e: unknown) => e,
  )) as ServiceError;
  expect(error.message).toBe('Update-with-Start could not be executed.');
  const [start, update] = (error.details[0]!.value as { statuses: Status[] }).statuses;
  return { code: error.code, start: start!, update: update! };
}

const ABORTED = { code: 10, message: 'Operation was aborted.' };

describe('when the workflow id is free', () => {
  it.each([USE_EXISTING, FAIL, TERMINATE_EXISTING])(
    'starts the run with the update in its first task (conflict policy %i)',
    async (workflowIdConflictPolicy) => {
      const workflowId = `new ${workflowIdConflictPolicy}`;
      const answer = execute(workflowId, { start: { workflowIdConflictPolicy } });
      const task = await node.poll(workflowId);
      expect(task.messages).toMatchObject([{ id: 'u/request' }]);
      await node.complete(task, ...acceptAll(task));
      const { start, update } = await parts(answer);
      expect(start).toMatchObject({ started: true, status: 1, link: { workflowEvent: { workflowId } } });
      expect(update).toMatchObject({
        outcome: { success: json('done') },
        updateRef: { workflowExecution: { workflowId, runId: start.runId } },
      });
      expect(await node.story(workflowId)).toHaveLength(6);
    },
  );

  it('a rejected update leaves the run started', async () => {
    const answer = execute('new rejected');
    const task = await node.poll('new rejected');
    await node.complete(task, [], { messages: [message.reject(task.messages[0]!)] });
    const { start, update } = await parts(answer);
    expect(start.started).toBe(true);
    expect(update).toMatchObject({ outcome: { failure: { message: 'no' } } });
    expect(await node.story('new rejected')).toHaveLength(4);
  });

  it('an update that cannot be admitted starts nothing', async () => {
    const restore = story.limit({ updatesInFlightMax: 0 });
    const failure = await failureOf(execute('not started'));
    restore();
    expect(failure).toMatchObject({ code: 'RESOURCE_EXHAUSTED', start: ABORTED, update: { code: 8 } });
    await expect(node.describe('not started')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('a run that ends before it took the update was started all the same', async () => {
    const answer = execute('ends at once');
    await node.complete(await node.poll('ends at once'), [command.complete()]);
    expect(await failureOf(answer)).toMatchObject({ code: 'NOT_FOUND', start: { code: 0 }, update: { code: 5 } });
  });
});

describe('when the workflow id has an open run', () => {
  it('USE_EXISTING lets that run take the update', async () => {
    const runId = await story.idle('existing');
    const answer = execute('existing', { start: { workflowIdConflictPolicy: USE_EXISTING } });
    await story.admitted('existing', 1);
    const task = await node.poll('existing');
    await node.complete(task, ...acceptAll(task));
    const { start, update } = await parts(answer);
    expect(start).toMatchObject({ runId, started: false, status: 1 });
    expect(update.outcome).toMatchObject({ success: json('done') });
  });

  it('FAIL says that it runs', async () => {
    const runId = await story.idle('refused');
    const failure = await failureOf(execute('refused', { start: { workflowIdConflictPolicy: FAIL } }));
    expect(failure).toMatchObject({ code: 'ALREADY_EXISTS', start: { code: 6 }, update: ABORTED });
    const [detail] = failure.start.details!;
    expect(detail!.type_url).toBe('type.googleapis.com/temporal.api.errordetails.v1.WorkflowExecutionAlreadyStartedFailure');
    expect(api.errordetails.v1.WorkflowExecutionAlreadyStartedFailure.decode(detail!.value!)).toMatchObject({ runId });
    const [aborted] = failure.update.details!;
    expect(aborted!.type_url).toBe('type.googleapis.com/temporal.api.failure.v1.MultiOperationExecutionAborted');
  });

  it('TERMINATE_EXISTING ends it for one that begins with the update', async () => {
    const old = await story.idle('replaced');
    const answer = execute('replaced', { start: { workflowIdConflictPolicy: TERMINATE_EXISTING } });
    await story.until('the new run', async () => (await story.state('replaced')).info.runId !== old);
    const task = await node.poll('replaced');
    await node.complete(task, ...acceptAll(task));
    const { start, update } = await parts(answer);
    expect(start.started).toBe(true);
    expect(update.updateRef!.workflowExecution!.runId).toBe(start.runId);
    expect((await node.story('replaced', old)).at(-1)).toBe('WORKFLOW_EXECUTION_TERMINATED');
  });

  it('an update that it knows is joined, whatever the policy', async () => {
    const first = execute('joined', { stage: ACCEPTED });
    const task = await node.poll('joined');
    await node.complete(task, ...acceptAll(task, { complete: false }));
    const begun = await parts(first);
    const again = await parts(execute('joined', { stage: ACCEPTED, start: { workflowIdConflictPolicy: TERMINATE_EXISTING } }));
    expect(again.start).toMatchObject({ runId: begun.start.runId, started: false });
    expect(again.update.stage).toBe(ACCEPTED);
  });

  it('the same start again takes another update, whatever the policy', async () => {
    const start = { requestId: 'the-same', workflowIdConflictPolicy: FAIL };
    const first = execute('same-start', { start });
    const task = await node.poll('same-start');
    await node.complete(task, ...acceptAll(task));
    const { start: begun } = await parts(first);
    const second = execute('same-start', { start, updateId: 'u2' });
    await story.admitted('same-start', 1);
    const next = await node.poll('same-start');
    await node.complete(next, ...acceptAll(next));
    expect((await parts(second)).start).toMatchObject({ runId: begun.runId, started: false });
  });

  it('that ends before it took the update, a new run is started for it', async () => {
    await story.idle('ends');
    const answer = execute('ends', { start: { workflowIdConflictPolicy: USE_EXISTING } });
    await story.admitted('ends', 1);
    await node.complete(await node.poll('ends'), [command.complete()]);
    const task = await node.poll('ends');
    expect(task.messages).toHaveLength(1);
    await node.complete(task, ...acceptAll(task));
    expect((await parts(answer)).start.started).toBe(true);
  });
});

describe('when the last run is closed', () => {
  it('a completed update has its outcome still', async () => {
    const first = execute('closed');
    const task = await node.poll('closed');
    await node.complete(task, ...acceptAll(task, { after: [command.complete()] }));
    await first;
    const reject = { workflowIdReusePolicy: enums.WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE };
    const { start, update } = await parts(execute('closed', { start: reject }));
    expect(start).toMatchObject({ started: false, status: enums.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED });
    expect(update).toMatchObject({ stage: COMPLETED, outcome: { success: json('done') } });
    const failure = await failureOf(execute('closed', { start: reject, updateId: 'other' }));
    expect(failure).toMatchObject({
      code: 'ALREADY_EXISTS',
      start: { code: 6, message: expect.stringContaining('already finished') },
      update: ABORTED,
    });
  });
});

describe('operations that cannot be', () => {
  it.each<[string, Wish, string, 'start' | 'update']>([
    ['a cron schedule', { start: { cronSchedule: '* * * * *' } }, 'CronSchedule is not allowed.', 'start'],
    ['an eager start', { start: { requestEagerExecution: true } }, 'RequestEagerExecution is not supported.', 'start'],
    ['a start delay', { start: { workflowStartDelay: { seconds: 1 } } }, 'WorkflowStartDelay is not supported.', 'start'],
    ['a start without a type', { start: { workflowType: {} } }, 'WorkflowType is not set on request.', 'start'],
    [
      'a run id',
      { update: { workflowExecution: { workflowId: 'impossible', runId: '00000000-0000-4000-8000-000000000000' } } },
      'RunId is not allowed.',
      'update',
    ],
    ['a first run id', { update: { firstExecutionRunId: 'x' } }, 'FirstExecutionRunId is not allowed.', 'update'],
    [
      'an update without a name',
      { update: { request: { meta: { updateId: 'u' }, input: {} } } },
      'Update name is not set on request.',
      'update',
    ],
    [
      'two workflow ids',
      { update: { workflowExecution: { workflowId: 'another' } } },
      'WorkflowId is not consistent with previous operation(s).',
      'update',
    ],
    ['another namespace', { update: { namespace: 'another' } }, "Operation namespace did not match request's namespace.", 'update'],
  ])('are refused: %s', async (_what, wish, text, which) => {
    const failure = await failureOf(execute('impossible', wish));
    expect(failure.code).toBe('INVALID_ARGUMENT');
    expect(failure[which]).toMatchObject({ code: 3, message: text });
    expect(failure[which === 'start' ? 'update' : 'start']).toMatchObject(ABORTED);
  });

  it('are refused in another order or number', async () => {
    for (const operations of [
      [],
      [{ startWorkflow: {} }],
      [{ updateWorkflow: {} }, { startWorkflow: {} }],
      [{ startWorkflow: {} }, { startWorkflow: {} }],
    ]) {
      await expect(node.rpc('ExecuteMultiOperation', { operations })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', details: [] });
    }
  });
});

describe('another node', () => {
  /** Something happens right before or right after the next commit of the node, before the node hears that it is through. */
  function aroundCommit(of: EngineNode, { before, after }: { before?: () => Promise<void>; after?: () => Promise<void> }): void {
    const { committer } = of.engine;
    const commit = committer.commit.bind(committer);
    committer.commit = async (item): Promise<CommitResult> => {
      committer.commit = commit;
      await before?.();
      const result = await commit(item);
      await after?.();
      return result;
    };
  }

  it('is told nothing of an update that is about to be committed, and that is not taken for its end', async () => {
    aroundCommit(node, { before: () => lookAtAllUpdates(node.engine) });
    const answer = execute('looked-at');
    const task = await node.poll('looked-at');
    await node.complete(task, ...acceptAll(task));
    expect((await answer).responses![1]!.updateWorkflow).toMatchObject({ stage: COMPLETED, outcome: { success: {} } });
  });

  it('may have answered before the node that started the run knows of its own commit', async () => {
    const [here, there] = [1, 2].map(() => new EngineNode(database.url, { others: true })) as [EngineNode, EngineNode];
    aroundCommit(here, {
      async after() {
        const task = await there.poll('answered-elsewhere');
        await there.complete(task, ...acceptAll(task));
        await lookAtAllUpdates(here.engine); // what the word of the other node leads to
      },
    });
    const startWorkflow = {
      workflowId: 'answered-elsewhere',
      workflowType: { name: 'Test' },
      taskQueue: { name: 'answered-elsewhere' },
      requestId: 'r',
    };
    const operations = [{ startWorkflow }, { updateWorkflow: updateRequest('answered-elsewhere', 'u') }];
    const answer = (await here.rpc('ExecuteMultiOperation', { operations })) as Response;
    expect(answer.responses![1]!.updateWorkflow).toMatchObject({ stage: COMPLETED, outcome: { success: {} } });
    await Promise.all([here.close(), there.close()]);
  });
});
