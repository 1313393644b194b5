/** Resets: where they may go back to, what the new run takes over, what becomes of the old one, of children, parents and other nodes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enums, type HistoryEvent, toDuration, toNumber } from '../../server/core/api.js';
import { command, EngineNode, json } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

const database = useDatabase();
const REAPPLY = enums.ResetReapplyType;
const EXCLUDE = enums.ResetReapplyExcludeType;
let node: EngineNode;

beforeAll(async () => {
  node = new EngineNode(database.url);
  await node.addNamespace('default');
});
afterAll(async () => {
  await node.expectFoldsToLive();
  expect(await node.messagesLeft()).toBe(0);
  await node.close();
});

let requests = 0;
const reset = async (workflowId: string, eventId: number, more: object = {}): Promise<string> => {
  const request = {
    workflowExecution: { workflowId },
    workflowTaskFinishEventId: eventId,
    reason: 'try again',
    requestId: `reset-${requests++}`,
  };
  return (await node.rpc('ResetWorkflowExecution', { ...request, ...more })).runId;
};

const signal = (workflowId: string, signalName: string) =>
  node.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId }, signalName, requestId: `${workflowId}-${signalName}` });

/** A run with two signals and three workflow tasks (finished by events 4, 9 and 14), the last of which completes it. */
async function twoSignals(workflowId: string): Promise<string> {
  const runId = await node.start(workflowId);
  await node.step(workflowId, [command.timer('t1', 3600)]);
  await signal(workflowId, 's1');
  await node.step(workflowId, [command.timer('t2', 3600)]);
  await signal(workflowId, 's2');
  await node.step(workflowId, [command.complete('first time')]);
  return runId;
}

const names = (events: HistoryEvent[]): string[] => events.map((e) => enums.EventType[e.eventType!]!.replace('EVENT_TYPE_', ''));
const status = async (workflowId: string, runId = ''): Promise<number> =>
  (await node.describe(workflowId, runId)).workflowExecutionInfo!.status!;

describe('a reset', () => {
  it('begins with the old history up to the task, and takes over the signals that came after', async () => {
    const old = await twoSignals('a');
    const runId = await reset('a', 9);
    const events = await node.events('a', runId);
    expect(names(events)).toEqual([
      ...['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED', 'WORKFLOW_TASK_COMPLETED', 'TIMER_STARTED'],
      ...[
        'WORKFLOW_EXECUTION_SIGNALED',
        'WORKFLOW_TASK_SCHEDULED',
        'WORKFLOW_TASK_STARTED',
        'WORKFLOW_TASK_FAILED',
        'WORKFLOW_EXECUTION_SIGNALED',
        'WORKFLOW_TASK_SCHEDULED',
      ],
    ]);
    expect(events.map((e) => toNumber(e.eventId))).toEqual(events.map((_, i) => i + 1));
    expect(events[8]!.workflowTaskFailedEventAttributes).toMatchObject({
      cause: enums.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
      baseRunId: old,
      newRunId: runId,
      failure: { message: 'try again', resetWorkflowFailureInfo: {} },
    });
    const task = await node.poll('a');
    expect(names(task.history!.events as HistoryEvent[])).toHaveLength(12);
    await node.complete(task, [command.complete('second time')]);
    expect(await status('a', runId)).toBe(enums.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED);
  });

  it('links old and new run, and starts the clocks of the new one', async () => {
    const old = await twoSignals('links');
    node.clock.forward(60_000);
    const runId = await reset('links', 4);
    const { workflowExtendedInfo: before } = await node.describe('links', old);
    expect(before!.resetRunId).toBe(runId);
    const { workflowExtendedInfo: after, workflowExecutionInfo: info } = await node.describe('links', runId);
    expect(info).toMatchObject({ firstRunId: old });
    expect(toNumber(info!.startTime!.seconds) - toNumber(after!.originalStartTime!.seconds)).toBeGreaterThanOrEqual(60);
    expect(after!.lastResetTime).toEqual(info!.startTime);
  });

  it.each([
    [0, 'must be > 1'],
    [1, 'must be > 1'],
    [2, 'Can only reset workflow to event ID in range'],
    [5, 'Can only reset workflow to event ID in range'],
    [6, 'Can only reset workflow to event ID in range'],
    [99, 'must be > 1'],
  ])('to event %d is refused', async (eventId, text) => {
    const workflowId = `refused-${eventId}`;
    await twoSignals(workflowId);
    await expect(reset(workflowId, eventId)).rejects.toThrow(text);
  });

  it.each([3, 8])('may name the started event %d, too', async (eventId) => {
    await twoSignals(`started-${eventId}`);
    const runId = await reset(`started-${eventId}`, eventId);
    expect((await node.events(`started-${eventId}`, runId))[eventId]!.workflowTaskFailedEventAttributes).toBeTruthy();
  });

  it('of an unknown workflow or run is not found', async () => {
    await expect(reset('nobody', 4)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await twoSignals('known');
    await expect(
      reset('known', 4, { workflowExecution: { workflowId: 'known', runId: '00000000-0000-4000-8000-000000000000' } }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('asked for twice with the same request id is done once', async () => {
    await twoSignals('twice');
    const runId = await reset('twice', 4, { requestId: 'same' });
    expect(await reset('twice', 4, { requestId: 'same' })).toBe(runId);
    expect(await reset('twice', 4, { requestId: 'other' })).not.toBe(runId);
  });

  it('takes over nothing that it is told to leave', async () => {
    await twoSignals('none');
    const none = await reset('none', 4, { resetReapplyType: REAPPLY.RESET_REAPPLY_TYPE_NONE });
    expect(await node.story('none', none)).not.toContain('WORKFLOW_EXECUTION_SIGNALED');
    const excluded = await reset('none', 4, { resetReapplyExcludeTypes: [EXCLUDE.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL] });
    expect(await node.story('none', excluded)).not.toContain('WORKFLOW_EXECUTION_SIGNALED');
  });

  it('of an open run ends it, with what waited in its buffer for the new one', async () => {
    const old = await node.start('open');
    await node.step('open');
    await signal('open', 's1');
    await node.poll('open');
    await signal('open', 's2');
    const runId = await reset('open', 4);
    expect((await node.events('open', old)).at(-1)!.workflowExecutionTerminatedEventAttributes).toMatchObject({
      reason: 'try again',
      identity: 'history-resetter',
    });
    const signals = (await node.events('open', runId)).flatMap((e) => e.workflowExecutionSignaledEventAttributes?.signalName ?? []);
    expect(signals).toEqual(['s1', 's2']);
  });

  it('of a closed run ends the open run that has its workflow id now', async () => {
    const first = await twoSignals('reused');
    const second = await node.start('reused');
    const runId = await reset('reused', 4, { workflowExecution: { workflowId: 'reused', runId: first } });
    expect(await status('reused', second)).toBe(enums.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED);
    expect(await status('reused', runId)).toBe(enums.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING);
    expect((await node.describe('reused', first)).workflowExtendedInfo!.resetRunId).toBe(runId);
    const signals = (await node.events('reused', runId)).filter((e) => e.workflowExecutionSignaledEventAttributes);
    expect(signals).toHaveLength(2); // those of its own chain
  });

  it('follows the chain that the run went on as', async () => {
    const first = await node.start('chain');
    await node.step('chain', [command.timer('t', 3600)]);
    await signal('chain', 's1');
    await node.step('chain', [command.continueAsNew()]);
    await signal('chain', 's2');
    const runId = await reset('chain', 4, { workflowExecution: { workflowId: 'chain', runId: first } });
    const signals = (await node.events('chain', runId)).flatMap((e) => e.workflowExecutionSignaledEventAttributes?.signalName ?? []);
    expect(signals).toEqual(['s1', 's2']);
  });

  it('rearms activities and timers of the kept history', async () => {
    await node.start('armed');
    await node.step('armed', [command.activity('act', 'armed-acts'), command.timer('t', 60)]);
    await signal('armed', 's');
    await node.step('armed');
    node.clock.forward(10_000);
    await reset('armed', 10);
    const task = await node.rpc('PollActivityTaskQueue', { taskQueue: { name: 'armed-acts' } });
    expect(task).toMatchObject({ activityId: 'act', attempt: 1 });
    await node.rpc('RespondActivityTaskCompleted', { taskToken: task.taskToken, result: json('done') });
    await node.step('armed');
    await node.forward(50_000);
    expect(await node.story('armed')).toContain('TIMER_FIRED');
  });

  it('of a reset run works as well', async () => {
    await twoSignals('again');
    await reset('again', 9);
    await node.step('again', [command.timer('t3', 3600)]);
    const runId = await reset('again', 13);
    const causes = (await node.events('again', runId)).flatMap((e) => e.workflowTaskFailedEventAttributes?.newRunId ?? []);
    expect(causes).toHaveLength(2);
    expect(causes.at(-1)).toBe(runId);
  });

  it('renews the timeouts', async () => {
    await node.start('timeouts', { workflowExecutionTimeout: toDuration(100_000), workflowRunTimeout: toDuration(50_000) });
    await node.step('timeouts');
    await node.forward(40_000);
    await reset('timeouts', 4);
    await node.forward(49_000);
    expect(await status('timeouts')).toBe(enums.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING);
    await node.forward(1_000);
    expect(await status('timeouts')).toBe(enums.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT);
  });

  it('keeps long histories apart, row by row', async () => {
    const old = await node.start('long');
    for (let i = 0; i < 30; i++) {
      await node.step('long', [command.timer(`t${i}`, 3600)]);
      await signal('long', `s${i}`);
    }
    await node.step('long', [command.complete()]);
    const completed = (await node.events('long', old))
      .filter((e) => e.workflowTaskCompletedEventAttributes)
      .map((e) => toNumber(e.eventId));
    const runId = await reset('long', completed[15]!);
    const events = await node.events('long', runId);
    expect(events.map((e) => toNumber(e.eventId))).toEqual(events.map((_, i) => i + 1));
    expect(events.filter((e) => e.workflowExecutionSignaledEventAttributes)).toHaveLength(30);
  });

  it('sends again what was on its way to others', async () => {
    const holder = new EngineNode(database.url, { clock: node.clock, holdMessages: true, others: true });
    await holder.start('target');
    await holder.start('sender');
    await holder.complete(await holder.poll('sender'), [command.signal('target', 'hello')], { forceCreateNewWorkflowTask: true });
    await holder.step('sender');
    const held = holder.held.splice(0);
    expect(held).toHaveLength(1);
    await holder.rpc('ResetWorkflowExecution', {
      workflowExecution: { workflowId: 'sender' },
      workflowTaskFinishEventId: 8,
      requestId: 'resend',
      reason: 'r',
    });
    expect(holder.held.map((m) => m.message.kind)).toEqual(['signal']);
    await holder.deliverHeld();
    expect(await holder.story('sender')).toContain('EXTERNAL_WORKFLOW_EXECUTION_SIGNALED');
    holder.held = held; // the old run's signal comes late: it is delivered, and its answer finds nobody
    await holder.deliverHeld();
    await holder.close();
  });

  it('may bring a signal and changed options along', async () => {
    await twoSignals('along');
    const runId = await reset('along', 4, {
      resetReapplyType: REAPPLY.RESET_REAPPLY_TYPE_NONE,
      postResetOperations: [
        { signalWorkflow: { signalName: 'along' } },
        { updateWorkflowOptions: { workflowExecutionOptions: { priority: { priorityKey: 2 } }, updateMask: { paths: ['priority'] } } },
      ],
    });
    expect((await node.story('along', runId)).slice(4)).toEqual([
      'WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_EXECUTION_OPTIONS_UPDATED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
    expect((await node.describe('along', runId)).workflowExecutionInfo!.priority).toMatchObject({ priorityKey: 2 });
  });
});

describe('children of a run that is reset', () => {
  it('stay, and their end finds the new run', async () => {
    await node.start('p1');
    await node.step('p1', [command.child('c1')]);
    await node.step('p1', [command.timer('t', 3600)]);
    const runId = await reset('p1', 9);
    expect(await status('c1')).toBe(enums.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING);
    await node.step('c1', [command.complete('from the child')]);
    await until('the end of the child', async () => (await node.story('p1', runId)).includes('CHILD_WORKFLOW_EXECUTION_COMPLETED'));
  });

  it('that ended after the reset point have ended for the new run, too', async () => {
    await node.start('p2');
    await node.step('p2', [command.child('c2')]);
    await node.step('p2');
    await node.step('c2', [command.complete('from the child')]);
    await until('the end of the child', async () => (await node.story('p2')).includes('CHILD_WORKFLOW_EXECUTION_COMPLETED'));
    const runId = await reset('p2', 9);
    const end = (await node.events('p2', runId)).find((e) => e.childWorkflowExecutionCompletedEventAttributes)!;
    expect(toNumber(end.childWorkflowExecutionCompletedEventAttributes!.startedEventId)).toBe(6);
    expect((await node.describe('p2', runId)).pendingChildren).toEqual([]);
  });

  it('whose end waited in the buffer of the old run have ended for the new run, too', async () => {
    await node.start('p6');
    await node.step('p6', [command.child('c6')]);
    await node.step('p6');
    await signal('p6', 'go');
    const task = await node.poll('p6');
    await node.step('c6', [command.complete('from the child')]);
    await until('the message', async () => (await node.messagesLeft()) === 0);
    const runId = await reset('p6', 9);
    const end = (await node.events('p6', runId)).find((e) => e.childWorkflowExecutionCompletedEventAttributes)!;
    expect(toNumber(end.childWorkflowExecutionCompletedEventAttributes!.startedEventId)).toBe(6);
    await expect(node.complete(task)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('hear of the end of the new run as that of their parent', async () => {
    await node.start('p3');
    await node.step('p3', [command.child('c3')]);
    await node.step('p3');
    await reset('p3', 9);
    await node.rpc('TerminateWorkflowExecution', { workflowExecution: { workflowId: 'p3' } });
    await until(
      'the end of the child',
      async () => (await status('c3')) === enums.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED,
    );
  });

  it('that were asked for and not started are asked for again', async () => {
    const holder = new EngineNode(database.url, { clock: node.clock, holdMessages: true, others: true });
    await holder.start('p4');
    await holder.complete(await holder.poll('p4'), [command.child('c4')], { forceCreateNewWorkflowTask: true });
    await holder.step('p4');
    const late = holder.held.splice(0);
    await holder.rpc('ResetWorkflowExecution', {
      workflowExecution: { workflowId: 'p4' },
      workflowTaskFinishEventId: 8,
      requestId: 'c4',
      reason: 'r',
    });
    await holder.deliverHeld();
    expect(await holder.story('p4')).toContain('CHILD_WORKFLOW_EXECUTION_STARTED');
    holder.held = late;
    await holder.deliverHeld();
    expect((await holder.story('p4')).filter((name) => name === 'CHILD_WORKFLOW_EXECUTION_STARTED')).toHaveLength(1);
    await holder.close();
  });
});

describe('a child that is reset', () => {
  it('reports its second end to the parent, and not the reset', async () => {
    await node.start('p5');
    await node.step('p5', [command.child('c5')]);
    await node.step('p5');
    await node.step('c5', [command.timer('t', 3600)]);
    await reset('c5', 4);
    expect(await node.story('p5')).not.toContain('CHILD_WORKFLOW_EXECUTION_TERMINATED');
    await node.step('c5', [command.complete()]);
    await until('the end of the child', async () => (await node.story('p5')).includes('CHILD_WORKFLOW_EXECUTION_COMPLETED'));
  });
});

describe('updates of a run that is reset', () => {
  const update = async (workflowId: string, updateId: string) => {
    const { workflowExecution, ...more } = { workflowExecution: { workflowId }, waitPolicy: { lifecycleStage: 3 } };
    const done = node.rpc('UpdateWorkflowExecution', {
      workflowExecution,
      ...more,
      request: { meta: { updateId, identity: 'me' }, input: { name: 'u' } },
    });
    const task = await until('the update', async () => {
      const polled = await node.poll(workflowId);
      return polled.messages?.length ? polled : undefined;
    });
    const id = task.messages![0]!.id!;
    const body = (type: string, value: { finish(): Uint8Array }) => ({
      type_url: `type.googleapis.com/temporal.api.update.v1.${type}`,
      value: value.finish(),
    });
    const { api } = await import('../../server/core/api.js');
    const { Acceptance, Response } = api.update.v1;
    const messages = [
      {
        id: `${updateId}/accept`,
        protocolInstanceId: updateId,
        body: body(
          'Acceptance',
          Acceptance.encode({ acceptedRequestMessageId: id, acceptedRequestSequencingEventId: task.messages![0]!.eventId }),
        ),
      },
      {
        id: `${updateId}/done`,
        protocolInstanceId: updateId,
        body: body('Response', Response.encode({ meta: { updateId }, outcome: { success: json('ok') } })),
      },
    ];
    await node.complete(task, [], { messages });
    await done;
  };

  it('are admitted again by an event, unless told otherwise', async () => {
    await node.start('u');
    await node.step('u');
    await update('u', 'u1');
    const runId = await reset('u', 4);
    const admitted = (await node.events('u', runId)).find((e) => e.workflowExecutionUpdateAdmittedEventAttributes)!;
    expect(admitted.workflowExecutionUpdateAdmittedEventAttributes).toMatchObject({
      request: { meta: { updateId: 'u1' } },
      origin: enums.UpdateAdmittedEventOrigin.UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY,
    });
    const without = await reset('u', 4, { resetReapplyExcludeTypes: [EXCLUDE.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE] });
    expect(await node.story('u', without)).not.toContain('WORKFLOW_EXECUTION_UPDATE_ADMITTED');
  });
});
