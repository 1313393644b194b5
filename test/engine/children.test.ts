/** Children: how they start, end and are ended, seen in the histories of parent and child. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enums } from '../../server/core/api.js';
import { command, EngineNode } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

const database = useDatabase();
const POLICY = enums.ParentClosePolicy;
const REUSE = enums.WorkflowIdReusePolicy;
let node: EngineNode;

beforeAll(async () => {
  node = new EngineNode(database.url);
  await node.addNamespace('default');
  await node.addNamespace('other');
});
afterAll(async () => {
  await node.expectFoldsToLive();
  expect(await node.messagesLeft()).toBe(0);
  await node.close();
});

const status = async (workflowId: string, namespace = 'default'): Promise<string> =>
  enums.WorkflowExecutionStatus[(await node.describe(workflowId, '', namespace)).workflowExecutionInfo!.status!]!.replace(
    'WORKFLOW_EXECUTION_STATUS_',
    '',
  );

const last = async (workflowId: string, namespace = 'default') => (await node.events(workflowId, '', namespace)).at(-1)!;

/** A parent whose child has started; both have their first (and the parent its second) task behind them. */
async function family(parent: string, options: object = {}): Promise<void> {
  await node.start(parent);
  await node.step(parent, [command.child(`${parent}-child`, options)]);
  await node.step(parent); // the child has started
}

describe('a child', () => {
  it('starts with its parent knowing, and its result becomes an event of the parent', async () => {
    await family('a');
    await node.step('a-child', [command.complete('from the child')]);
    const task = await node.poll('a');
    expect(task.history!.events!.at(-3)!.childWorkflowExecutionCompletedEventAttributes).toMatchObject({
      initiatedEventId: expect.objectContaining({ low: 5 }),
      startedEventId: expect.objectContaining({ low: 6 }),
      workflowExecution: { workflowId: 'a-child' },
    });
    await node.complete(task, [command.complete()]);
    expect(await node.story('a')).toEqual([
      ...['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED', 'WORKFLOW_TASK_COMPLETED'],
      ...['START_CHILD_WORKFLOW_EXECUTION_INITIATED', 'CHILD_WORKFLOW_EXECUTION_STARTED'],
      ...['WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED', 'WORKFLOW_TASK_COMPLETED', 'CHILD_WORKFLOW_EXECUTION_COMPLETED'],
      ...['WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED', 'WORKFLOW_TASK_COMPLETED', 'WORKFLOW_EXECUTION_COMPLETED'],
    ]);
  });

  it('is listed as pending until it ends', async () => {
    await family('c', { parentClosePolicy: POLICY.PARENT_CLOSE_POLICY_ABANDON });
    const { pendingChildren } = await node.describe('c');
    expect(pendingChildren).toMatchObject([
      { workflowId: 'c-child', workflowTypeName: 'Child', parentClosePolicy: POLICY.PARENT_CLOSE_POLICY_ABANDON },
    ]);
    await node.step('c-child', [command.fail('no luck')]);
    await until('the end of the child', async () => (await node.describe('c')).pendingChildren!.length === 0);
    expect((await last('c')).eventType).toBe(enums.EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
    expect((await node.story('c')).at(-2)).toBe('CHILD_WORKFLOW_EXECUTION_FAILED');
  });

  it('in another namespace reports back to its parent', async () => {
    await family('d', { namespace: 'other' });
    await node.step('d-child', [command.complete()], 'other');
    const started = (await node.events('d-child', '', 'other'))[0]!.workflowExecutionStartedEventAttributes!;
    expect(started).toMatchObject({ parentWorkflowNamespace: 'default', rootWorkflowExecution: { workflowId: 'd' } });
    await until('the end of the child', async () => (await node.story('d')).includes('CHILD_WORKFLOW_EXECUTION_COMPLETED'));
  });

  it('keeps its parent when it continues as new, which the parent does not see', async () => {
    await family('e');
    await node.step('e-child', [command.continueAsNew()]);
    expect(await node.story('e')).not.toContain('CHILD_WORKFLOW_EXECUTION_COMPLETED');
    await node.forward(1_500);
    await node.step('e-child', [command.complete()]);
    await until('the end of the chain', async () => (await node.story('e')).includes('CHILD_WORKFLOW_EXECUTION_COMPLETED'));
    const { childWorkflowExecutionCompletedEventAttributes: end } = (await node.events('e')).at(-2)!;
    expect(end!.workflowExecution!.runId).toBe((await node.describe('e-child')).workflowExecutionInfo!.execution!.runId);
  });

  it('begins on its own queue or else on its parent’s', async () => {
    await node.start('queueless');
    await node.step('queueless', [command.child('queueless-child', { taskQueue: undefined })]);
    await until('the child', () => status('queueless-child'));
    expect((await node.describe('queueless-child')).executionConfig!.taskQueue!.name).toBe('queueless');
  });
});

describe('the workflow id of a child', () => {
  const failure = async (parent: string) =>
    (await until('the refusal', async () => (await node.events(parent)).find((e) => e.startChildWorkflowExecutionFailedEventAttributes)))
      .startChildWorkflowExecutionFailedEventAttributes!.cause;
  const taken = enums.StartChildWorkflowExecutionFailedCause.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS;

  it('is refused while another run has it', async () => {
    await node.start('f-child');
    await node.start('f');
    await node.step('f', [command.child('f-child')]);
    expect(await failure('f')).toBe(taken);
  });

  it('goes to the first of two children that one task asks for', async () => {
    await node.start('g');
    await node.step('g', [command.child('g-child'), command.child('g-child')]);
    expect(await failure('g')).toBe(taken);
    expect((await node.story('g')).filter((name) => name === 'CHILD_WORKFLOW_EXECUTION_STARTED')).toHaveLength(1);
  });

  it.each([
    ['REJECT_DUPLICATE', 'complete', taken],
    ['ALLOW_DUPLICATE_FAILED_ONLY', 'complete', taken],
    ['ALLOW_DUPLICATE_FAILED_ONLY', 'fail', undefined],
    ['ALLOW_DUPLICATE', 'complete', undefined],
  ] as const)('used before, policy %s, after a run that did %s', async (policy, end, cause) => {
    const parent = `reuse-${policy}-${end}`;
    await node.start(`${parent}-child`);
    await node.step(`${parent}-child`, [command[end]()]);
    await node.start(parent);
    await node.step(parent, [command.child(`${parent}-child`, { workflowIdReusePolicy: REUSE[`WORKFLOW_ID_REUSE_POLICY_${policy}`] })]);
    if (cause) expect(await failure(parent)).toBe(cause);
    else await until('the child', async () => (await node.story(parent)).includes('CHILD_WORKFLOW_EXECUTION_STARTED'));
  });

  it('is made free by TERMINATE_IF_RUNNING', async () => {
    const before = await node.start('h-child');
    await node.start('h');
    await node.step('h', [command.child('h-child', { workflowIdReusePolicy: REUSE.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING })]);
    await until('the child', async () => (await node.story('h')).includes('CHILD_WORKFLOW_EXECUTION_STARTED'));
    expect((await node.story('h-child', before)).at(-1)).toBe('WORKFLOW_EXECUTION_TERMINATED');
    expect(await status('h-child')).toBe('RUNNING');
  });
});

describe('when the parent ends', () => {
  it.each([
    ['TERMINATE', 'TERMINATED'],
    ['ABANDON', 'RUNNING'],
    ['REQUEST_CANCEL', 'RUNNING'],
  ] as const)('policy %s leaves the child %s', async (policy, expected) => {
    const parent = `close-${policy}`;
    await family(parent, { parentClosePolicy: POLICY[`PARENT_CLOSE_POLICY_${policy}`] });
    await node.rpc('TerminateWorkflowExecution', { workflowExecution: { workflowId: parent } });
    await until('the messages', async () => (await node.messagesLeft()) === 0);
    expect(await status(`${parent}-child`)).toBe(expected);
    expect((await node.story(`${parent}-child`)).includes('WORKFLOW_EXECUTION_CANCEL_REQUESTED')).toBe(policy === 'REQUEST_CANCEL');
  });

  it('the policy reaches a child that has continued as new', async () => {
    await family('i');
    await node.step('i-child', [command.continueAsNew()]);
    await node.rpc('TerminateWorkflowExecution', { workflowExecution: { workflowId: 'i' } });
    await until('the end of the child', async () => (await status('i-child')) === 'TERMINATED');
    expect((await last('i-child')).workflowExecutionTerminatedEventAttributes).toMatchObject({ reason: 'by parent close policy' });
  });

  it('by continuing as new, its children end as well', async () => {
    await family('j');
    await node.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId: 'j' }, signalName: 'go' });
    await node.step('j', [command.continueAsNew()]);
    await until('the end of the child', async () => (await status('j-child')) === 'TERMINATED');
  });

  it.each(['ABANDON', 'TERMINATE'] as const)('in the same task, a child with policy %s never starts', async (policy) => {
    const parent = `never-${policy}`;
    await node.start(parent);
    await node.step(parent, [
      command.child(`${parent}-child`, { parentClosePolicy: POLICY[`PARENT_CLOSE_POLICY_${policy}`] }),
      command.complete(),
    ]);
    await until('the message', async () => (await node.messagesLeft()) === 0);
    await expect(node.describe(`${parent}-child`)).rejects.toThrow('not found');
  });

  it('by request, a child that is asked to stop hears who asked', async () => {
    await family('k', { parentClosePolicy: POLICY.PARENT_CLOSE_POLICY_REQUEST_CANCEL });
    await node.rpc('TerminateWorkflowExecution', { workflowExecution: { workflowId: 'k' } });
    const asked = await until('the request', async () =>
      (await node.events('k-child')).find((e) => e.workflowExecutionCancelRequestedEventAttributes),
    );
    expect(asked.workflowExecutionCancelRequestedEventAttributes!.externalWorkflowExecution!.workflowId).toBe('k');
  });
});
