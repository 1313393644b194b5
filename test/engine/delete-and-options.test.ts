/** Deleting runs, and changing their options. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enums } from '../../server/core/api.js';
import { command, EngineNode } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

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

const remove = (workflowId: string, runId = '') => node.rpc('DeleteWorkflowExecution', { workflowExecution: { workflowId, runId } });
const rowsOf = async (runId: string): Promise<number> => {
  const [row] = await node.engine.database.query<{ count: number }>({
    text: `select (select count(*) from runs where run_id = $1) + (select count(*) from history where run_id = $1)
      + (select count(*) from tasks where run_id = $1) + (select count(*) from run_requests where run_id = $1) as count`,
    values: [runId],
  });
  return Number(row!.count);
};

describe('DeleteWorkflowExecution', () => {
  it.each(['open', 'closed'])('removes an %s run with all that hangs on it', async (kind) => {
    const runId = await node.start(kind);
    await node.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId: kind }, signalName: 's', requestId: 'r' });
    if (kind === 'closed') await node.step(kind, [command.complete()]);
    expect(await rowsOf(runId)).toBeGreaterThan(2);
    await remove(kind);
    expect(await rowsOf(runId)).toBe(0);
    await expect(node.describe(kind)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(node.events(kind)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(remove(kind)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('makes the workflow id free', async () => {
    const first = await node.start('reused');
    await remove('reused', first);
    expect(
      await node.start('reused', { workflowIdReusePolicy: enums.WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE }),
    ).not.toBe(first);
  });

  it('of an open child is the end of it for its parent', async () => {
    await node.start('p');
    await node.step('p', [command.child('c')]);
    await node.step('p');
    await remove('c');
    await until('the end of the child', async () => (await node.story('p')).includes('CHILD_WORKFLOW_EXECUTION_TERMINATED'));
  });

  it('of an open parent ends its children', async () => {
    await node.start('q');
    await node.step('q', [command.child('d')]);
    await node.step('q');
    await remove('q');
    const terminated = enums.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED;
    await until('the end of the child', async () => (await node.describe('d')).workflowExecutionInfo!.status === terminated);
  });

  it('of one run leaves the others of its workflow id', async () => {
    const first = await node.start('two');
    await node.step('two', [command.complete()]);
    const second = await node.start('two');
    await remove('two', first);
    expect((await node.describe('two')).workflowExecutionInfo!.execution!.runId).toBe(second);
    await expect(node.describe('two', first)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('UpdateWorkflowExecutionOptions', () => {
  const update = async (workflowId: string, options: object, ...paths: string[]) =>
    (
      await node.rpc('UpdateWorkflowExecutionOptions', {
        workflowExecution: { workflowId },
        workflowExecutionOptions: options,
        updateMask: { paths },
      })
    ).workflowExecutionOptions;

  it('changes the priority, whole or in part', async () => {
    await node.start('options', { priority: { priorityKey: 4, fairnessKey: 'a' } });
    expect(await update('options', { priority: { priorityKey: 1 } }, 'priority.priority_key')).toMatchObject({
      priority: { priorityKey: 1, fairnessKey: 'a' },
    });
    expect((await node.describe('options')).workflowExecutionInfo!.priority).toMatchObject({ priorityKey: 1, fairnessKey: 'a' });
    await update('options', {}, 'priority');
    expect((await node.describe('options')).workflowExecutionInfo!.priority ?? null).toBeNull();
  });

  it('writes an event for a change, and none for no change', async () => {
    await node.start('unchanged');
    await update('unchanged', { versioningOverride: { autoUpgrade: true } }, 'versioning_override');
    await update('unchanged', { versioningOverride: { autoUpgrade: true } }, 'versioning_override');
    const events = (await node.events('unchanged')).filter((e) => e.workflowExecutionOptionsUpdatedEventAttributes);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ workerMayIgnore: true });
  });

  it.each([
    [['nonsense'], {}, 'INVALID_ARGUMENT', 'invalid path "nonsense"'],
    [['priority.nonsense'], {}, 'INVALID_ARGUMENT', 'invalid path'],
    [['versioning_override.behavior'], {}, 'INVALID_ARGUMENT', 'must be updated together'],
    [['versioning_override.auto_upgrade'], {}, 'INVALID_ARGUMENT', "doesn't support partial updates"],
    [
      ['versioning_override'],
      { versioningOverride: { pinned: { behavior: 1, version: { deploymentName: 'd', buildId: 'b' } } } },
      'FAILED_PRECONDITION',
      "Pinned version 'd:b' is not present",
    ],
    [
      ['versioning_override'],
      { versioningOverride: { pinned: { behavior: 1 } } },
      'FAILED_PRECONDITION',
      'must specify a specific pinned override version',
    ],
    [['priority'], { priority: { priorityKey: -1 } }, 'INVALID_ARGUMENT', "can't be negative"],
  ])('refuses %o with %o', async (paths, options, code, text) => {
    await node.start('refused', { workflowIdConflictPolicy: enums.WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING });
    await expect(update('refused', options, ...paths)).rejects.toMatchObject({ code, message: expect.stringContaining(text) });
  });

  it('of a closed run is not found', async () => {
    await node.start('done');
    await node.step('done', [command.complete()]);
    await expect(update('done', {}, 'priority')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
