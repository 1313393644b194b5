/** Signals and cancel requests from one run to another, with every way in which they can fail. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enums } from '../../server/core/api.js';
import { command, EngineNode } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

const database = useDatabase();
const SIGNAL = enums.SignalExternalWorkflowExecutionFailedCause;
const CANCEL = enums.CancelExternalWorkflowExecutionFailedCause;
const NOT_FOUND = SIGNAL.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
const CANCEL_NOT_FOUND = CANCEL.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
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

/** A run that gives these commands in its first task; the event that answers them. */
async function answered(sender: string, ...commands: Parameters<EngineNode['complete']>[1] & object) {
  await node.start(sender);
  await node.step(sender, commands);
  return until('the answer', async () => {
    const event = (await node.events(sender)).find(
      (e) =>
        e.signalExternalWorkflowExecutionFailedEventAttributes ??
        e.externalWorkflowExecutionSignaledEventAttributes ??
        e.requestCancelExternalWorkflowExecutionFailedEventAttributes ??
        e.externalWorkflowExecutionCancelRequestedEventAttributes,
    );
    return event;
  });
}

describe('a signal to another run', () => {
  it('carries name, input, header and its sender', async () => {
    await node.start('t1');
    const answer = await answered(
      's1',
      command.signal('t1', 'hello', { control: 'c', header: { fields: { h: { data: Buffer.from('1') } } } }),
    );
    expect(answer.externalWorkflowExecutionSignaledEventAttributes).toMatchObject({
      control: 'c',
      workflowExecution: { workflowId: 't1' },
    });
    const signal = (await node.events('t1')).at(-1)!.workflowExecutionSignaledEventAttributes!;
    expect(signal).toMatchObject({ signalName: 'hello', identity: 'history-service', externalWorkflowExecution: { workflowId: 's1' } });
    expect(Object.keys(signal.header!.fields!)).toEqual(['h']);
  });

  it('crosses namespaces', async () => {
    await node.start('t2', {}, 'other');
    const answer = await answered('s2', command.signal('t2', 'hello', { namespace: 'other' }));
    expect(answer.externalWorkflowExecutionSignaledEventAttributes).toMatchObject({ namespace: 'other' });
    expect(await node.story('t2', '', 'other')).toContain('WORKFLOW_EXECUTION_SIGNALED');
  });

  it.each([
    ['nobody has that workflow id', 'nobody', {}],
    ['it is the sender itself', 's-self', {}],
    ['the run is another’s', 't1', { execution: { workflowId: 't1', runId: '00000000-0000-4000-8000-000000000000' } }],
    ['it is not a child of the sender', 't1', { childWorkflowOnly: true }],
  ])('fails when %s', async (why, target, more) => {
    const sender = target === 's-self' ? target : `s-${why.replaceAll(' ', '-')}`;
    const answer = await answered(sender, command.signal(target, 'hello', more));
    expect(answer.signalExternalWorkflowExecutionFailedEventAttributes!.cause).toBe(NOT_FOUND);
  });

  it('fails when the target has closed', async () => {
    await node.start('t3');
    await node.step('t3', [command.complete()]);
    const answer = await answered('s3', command.signal('t3', 'late'));
    expect(answer.signalExternalWorkflowExecutionFailedEventAttributes!.cause).toBe(NOT_FOUND);
  });

  it('fails when the namespace has gone since it was sent', async () => {
    const held = new EngineNode(database.url, { holdMessages: true, others: true, clock: node.clock });
    await held.addNamespace('short-lived');
    await held.start('s4');
    await held.step('s4', [command.signal('t4', 'hello', { namespace: 'short-lived' }), command.child('c4', { namespace: 'short-lived' })]);
    await held.engine.database.query({ text: "delete from namespaces where name = 'short-lived'" });
    held.engine.registry.forgetAll();
    await held.deliverHeld();
    const events = await held.events('s4');
    const signal = events.find((e) => e.signalExternalWorkflowExecutionFailedEventAttributes)!;
    expect(signal.signalExternalWorkflowExecutionFailedEventAttributes!.cause).toBe(
      SIGNAL.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND,
    );
    const child = events.find((e) => e.startChildWorkflowExecutionFailedEventAttributes)!;
    expect(child.startChildWorkflowExecutionFailedEventAttributes!.cause).toBe(
      enums.StartChildWorkflowExecutionFailedCause.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND,
    );
    await held.close();
  });

  it('reaches a child of the sender that has continued as new', async () => {
    await node.start('p5');
    await node.step('p5', [command.child('c5')]);
    await node.step('p5');
    await node.step('c5', [command.continueAsNew()]);
    await node.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId: 'p5' }, signalName: 'go' });
    await node.step('p5', [command.signal('c5', 'hello', { childWorkflowOnly: true })]);
    await until('the signal', async () => (await node.story('c5')).includes('WORKFLOW_EXECUTION_SIGNALED'));
  });

  it('is delivered although its sender ends in the same task', async () => {
    await node.start('t6');
    await node.start('s6');
    await node.step('s6', [command.signal('t6', 'farewell'), command.complete()]);
    await until('the signal', async () => (await node.story('t6')).includes('WORKFLOW_EXECUTION_SIGNALED'));
    await until('the messages', async () => (await node.messagesLeft()) === 0);
  });

  it('fails when the target has had as many signals as it may', async () => {
    const held = new EngineNode(database.url, { holdMessages: true, others: true, clock: node.clock });
    const narrow = new EngineNode(database.url, { holdMessages: true, others: true, clock: node.clock });
    Object.assign(narrow.engine, {
      turnContext: () => ({ ...held.engine.turnContext(), limits: { ...held.engine.limits, signalsPerRunMax: 1 } }),
    });
    await held.start('t7');
    await held.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId: 't7' }, signalName: 'first' });
    await held.start('s7');
    await held.step('s7', [command.signal('t7', 'second')]);
    narrow.held = held.held.splice(0);
    await narrow.deliverHeld();
    const failed = (await held.events('s7')).find((e) => e.signalExternalWorkflowExecutionFailedEventAttributes)!;
    expect(failed.signalExternalWorkflowExecutionFailedEventAttributes!.cause).toBe(
      SIGNAL.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED,
    );
    await Promise.all([held.close(), narrow.close()]);
  });
});

describe('a cancel request to another run', () => {
  it('names its sender, its event and the reason', async () => {
    await node.start('u1');
    const answer = await answered('v1', command.cancelOther('u1', { reason: 'enough' }));
    expect(answer.externalWorkflowExecutionCancelRequestedEventAttributes).toMatchObject({ workflowExecution: { workflowId: 'u1' } });
    const request = (await node.events('u1')).at(-1)!.workflowExecutionCancelRequestedEventAttributes!;
    expect(request).toMatchObject({ cause: 'enough', identity: 'history-service', externalWorkflowExecution: { workflowId: 'v1' } });
    expect(Number(request.externalInitiatedEventId)).toBe(5);
  });

  it('is fine with a run that has closed, and with one that was asked before', async () => {
    await node.start('u2');
    await node.rpc('RequestCancelWorkflowExecution', { workflowExecution: { workflowId: 'u2' } });
    expect((await answered('v2', command.cancelOther('u2'))).externalWorkflowExecutionCancelRequestedEventAttributes).toBeTruthy();
    await node.step('u2', [command.cancel()]);
    expect((await answered('v3', command.cancelOther('u2'))).externalWorkflowExecutionCancelRequestedEventAttributes).toBeTruthy();
    expect((await node.story('u2')).filter((name) => name === 'WORKFLOW_EXECUTION_CANCEL_REQUESTED')).toHaveLength(1);
  });

  it.each([
    ['nobody', {}],
    ['v-self', {}],
    ['u1', { childWorkflowOnly: true }],
  ])('to %s (%o) fails', async (target, more) => {
    const sender = target === 'v-self' ? target : `v-${target}`;
    const answer = await answered(sender, command.cancelOther(target, more));
    expect(answer.requestCancelExternalWorkflowExecutionFailedEventAttributes!.cause).toBe(CANCEL_NOT_FOUND);
  });

  it('may not be given to a child in the task that starts it', async () => {
    await node.start('v4');
    const task = await node.poll('v4');
    await expect(node.complete(task, [command.child('c-v4'), command.cancelOther('c-v4')])).rejects.toThrow(
      'Start and RequestCancel for child workflow is not allowed in same workflow task',
    );
  });
});
