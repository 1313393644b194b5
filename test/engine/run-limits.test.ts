/** How much one run may be: what is refused, what ends it, and what makes room. */
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest';
import { enums, type temporal } from '../../server/core/api.js';
import type { Limits } from '../../server/core/limits.js';
import { command, EngineNode, json } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';

type Command = temporal.api.command.v1.ICommand;
const database = useDatabase();
const CAUSE = enums.WorkflowTaskFailedCause;
const TERMINATED = enums.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED;
let node: EngineNode;
let lift = (): void => {};

beforeAll(async () => {
  node = new EngineNode(database.url);
  await node.addNamespace('default');
});
afterEach(() => lift());
afterAll(async () => {
  await node.expectFoldsToLive();
  await node.close();
});

/** Other limits until the end of the test. */
function limit(limits: Partial<Limits>): void {
  const { engine } = node;
  const { turnContext } = engine;
  Object.assign(engine, { turnContext: () => ({ ...turnContext(), limits: { ...engine.limits, ...limits } }) });
  lift = () => Object.assign(engine, { turnContext });
}
const signal = (workflowId: string, input: unknown = 's') =>
  node.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId }, signalName: 's', input: json(input) });
const statusOf = async (id: string) => (await node.describe(id)).workflowExecutionInfo!.status;
const lastOf = async (id: string) => (await node.events(id)).at(-1)!;

describe('a history', () => {
  test.each<[string, Partial<Limits>, string]>([
    ['with too many events', { historyEventsMax: 10 }, 'Workflow history count exceeds limit.'],
    ['with too many bytes', { historySizeMax: 1000 }, 'Workflow history size exceeds limit.'],
  ])('%s ends its run', async (what, limits, reason) => {
    limit(limits);
    await node.start(what);
    let failed: { code?: string } = {};
    for (let n = 0; n < 20 && !failed.code; n++) await signal(what, 'x'.repeat(100)).catch((error) => (failed = error));
    expect(failed).toMatchObject({ code: 'INVALID_ARGUMENT', message: reason });
    expect(await statusOf(what)).toBe(TERMINATED);
    expect((await lastOf(what)).workflowExecutionTerminatedEventAttributes).toMatchObject({ reason });
    await expect(signal(what)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('that is too long may still be completed', async () => {
    await node.start('completes');
    const task = await node.poll('completes');
    limit({ historyEventsMax: 3 });
    await node.complete(task, [command.complete()]);
    expect(await statusOf('completes')).toBe(enums.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED);
  });
});

it('a state that is too large ends its run', async () => {
  limit({ stateSizeMax: 3000 });
  await node.start('state');
  const task = await node.poll('state');
  const activities = Array.from({ length: 6 }, (_, n) => command.activity(`a${n}`, 'state-act'));
  await expect(node.complete(task, activities)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: 'Workflow mutable state size exceeds limit.',
  });
  expect(await statusOf('state')).toBe(TERMINATED);
});

describe('what comes while a workflow task runs', () => {
  test.each<[string, Partial<Limits>, number]>([
    ['too often', { bufferedEventsMax: 3 }, 4],
    ['in too many bytes', { bufferedBytesMax: 1000 }, 3],
  ])('%s fails the task, and is seen by the next', async (what, limits, signals) => {
    limit(limits);
    await node.start(what);
    const task = await node.poll(what);
    for (let n = 0; n < signals; n++) await signal(what, 'x'.repeat(300));
    const events = await node.events(what);
    expect(events[3]!.workflowTaskFailedEventAttributes).toMatchObject({ cause: CAUSE.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND });
    expect(events.slice(4).map((e) => enums.EventType[e.eventType!]!.replace('EVENT_TYPE_', ''))).toEqual([
      ...Array.from({ length: signals }, () => 'WORKFLOW_EXECUTION_SIGNALED'),
      'WORKFLOW_TASK_SCHEDULED',
    ]);
    await expect(node.complete(task)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await node.step(what, [command.complete()]);
  });
});

describe('what is under way at one time', () => {
  test.each<[string, Partial<Limits>, (n: number) => Command, number]>([
    [
      'activities',
      { pendingActivitiesMax: 2 },
      (n) => command.activity(`a${n}`, 'limit-act'),
      CAUSE.WORKFLOW_TASK_FAILED_CAUSE_PENDING_ACTIVITIES_LIMIT_EXCEEDED,
    ],
    [
      'child workflow executions',
      { pendingChildrenMax: 2 },
      (n) => command.child(`child-${n}`),
      CAUSE.WORKFLOW_TASK_FAILED_CAUSE_PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED,
    ],
    [
      'signals to external workflows',
      { pendingSignalsMax: 2 },
      (n) => command.signal(`x-${n}`, 's'),
      CAUSE.WORKFLOW_TASK_FAILED_CAUSE_PENDING_SIGNALS_LIMIT_EXCEEDED,
    ],
    [
      'requests to cancel external workflows',
      { pendingCancelsMax: 2 },
      (n) => command.cancelOther(`x-${n}`),
      CAUSE.WORKFLOW_TASK_FAILED_CAUSE_PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED,
    ],
  ])('%s: one more fails the workflow task', async (what, limits, make, cause) => {
    limit(limits);
    await node.start(what);
    const message = expect.stringContaining(`the number of pending ${what}, 2, has reached the per-workflow limit of 2`);
    await expect(node.complete(await node.poll(what), [0, 1, 2].map(make))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message });
    const failed = (await node.events(what)).find((e) => e.workflowTaskFailedEventAttributes)!;
    expect(failed.workflowTaskFailedEventAttributes!.cause).toBe(cause);
    await node.step(what, [0, 1].map(make));
  });
});
