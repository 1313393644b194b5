/** Messages between runs, delivered late, twice, by two nodes at once, and after the death of the node that sent them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enums } from '../../server/core/api.js';
import type { Message, OutboxMessage } from '../../server/core/message.js';
import { deliverMessages } from '../../server/engine/deliver-messages.js';
import { deliverOutboxOnce } from '../../server/loops/outbox-deliverer.js';
import { SENDER_DELIVERS_MS } from '../../server/storage/commit.js';
import { command, EngineNode, ManualClock } from '../helpers/engine-node.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

let database: TestDatabase;
let clock: ManualClock;
let one: EngineNode;
let two: EngineNode;

/** Two nodes on one database, both of which keep their messages until the test delivers them. */
beforeEach(async () => {
  database = await createDatabase();
  clock = new ManualClock();
  one = new EngineNode(database.url, { clock, holdMessages: true, others: true });
  two = new EngineNode(database.url, { clock, holdMessages: true, others: true });
  await one.addNamespace('default');
});
afterEach(async () => {
  await one.expectFoldsToLive();
  await Promise.all([one.close(), two.close()]);
  await database.drop();
});

const kinds = (messages: readonly OutboxMessage[]): Message['kind'][] => messages.map((m) => m.message.kind);
const count = async (workflowId: string, event: string): Promise<number> =>
  (await one.story(workflowId)).filter((name) => name === event).length;

/** Both nodes deliver the same messages at the same moment, and one of them once more afterwards. */
async function race(messages: readonly OutboxMessage[]): Promise<void> {
  await Promise.all([deliverMessages(one.engine, messages), deliverMessages(two.engine, messages)]);
  await deliverMessages(two.engine, messages);
}

describe('a message that is delivered more than once', () => {
  it('starts a child once, and tells its end once', async () => {
    await one.start('p');
    await one.step('p', [command.child('c')]);
    const start = one.held.splice(0);
    expect(kinds(start)).toEqual(['start-child']);
    await race(start);
    expect(await count('p', 'CHILD_WORKFLOW_EXECUTION_STARTED')).toBe(1);
    await one.step('c', [command.complete()]);
    await race(one.held.splice(0));
    expect(await count('p', 'CHILD_WORKFLOW_EXECUTION_COMPLETED')).toBe(1);
    expect(await one.messagesLeft()).toBe(0);
  });

  it('starts each of many children once', async () => {
    await one.start('p');
    const ids = Array.from({ length: 20 }, (_, i) => `c${i}`);
    await one.step(
      'p',
      ids.map((id) => command.child(id)),
    );
    await race(one.held.splice(0));
    expect(await count('p', 'CHILD_WORKFLOW_EXECUTION_STARTED')).toBe(20);
    for (const id of ids) await one.step(id, [command.complete()]);
    await race(one.held.splice(0));
    expect(await count('p', 'CHILD_WORKFLOW_EXECUTION_COMPLETED')).toBe(20);
  });

  it('signals and cancels once, and answers once', async () => {
    await one.start('target');
    await one.start('sender');
    await one.step('sender', [command.signal('target', 'hello'), command.cancelOther('target')]);
    const sent = one.held.splice(0);
    expect(kinds(sent)).toEqual(['signal', 'cancel']);
    await race(sent);
    expect(await count('target', 'WORKFLOW_EXECUTION_SIGNALED')).toBe(1);
    expect(await count('target', 'WORKFLOW_EXECUTION_CANCEL_REQUESTED')).toBe(1);
    await race([...one.held.splice(0), ...two.held.splice(0)]);
    expect(await count('sender', 'EXTERNAL_WORKFLOW_EXECUTION_SIGNALED')).toBe(1);
    expect(await count('sender', 'EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED')).toBe(1);
    expect(await one.messagesLeft()).toBe(0);
  });

  it('keeps the order of the signals that one run sends another', async () => {
    await one.start('target');
    await one.start('sender');
    const names = Array.from({ length: 12 }, (_, i) => `s${i}`);
    await one.step(
      'sender',
      names.map((name) => command.signal('target', name)),
    );
    await race(one.held.splice(0));
    const signals = (await one.events('target')).flatMap((e) => e.workflowExecutionSignaledEventAttributes?.signalName ?? []);
    expect(signals).toEqual(names);
  });

  it('refuses an unreachable target once', async () => {
    await one.start('sender');
    await one.step('sender', [command.signal('nobody', 'hello'), command.cancelOther('nobody')]);
    await race(one.held.splice(0));
    expect(await count('sender', 'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED')).toBe(1);
    expect(await count('sender', 'REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED')).toBe(1);
  });

  it('ends the children of a closed parent once', async () => {
    await one.start('p');
    await one.step('p', [command.child('c')]);
    await one.deliverHeld();
    await one.rpc('TerminateWorkflowExecution', { workflowExecution: { workflowId: 'p' } });
    await race(one.held.splice(0));
    expect(await count('c', 'WORKFLOW_EXECUTION_TERMINATED')).toBe(1);
    await race([...one.held.splice(0), ...two.held.splice(0)]); // the child's word to a parent that is gone
    expect(await one.messagesLeft()).toBe(0);
  });
});

describe('a message that comes late', () => {
  it('enters the history after what the parent’s task did, the child’s start before its end', async () => {
    await one.start('p');
    await one.complete(await one.poll('p'), [command.child('c')], { forceCreateNewWorkflowTask: true });
    const task = await one.poll('p');
    await one.deliverHeld();
    await one.step('c', [command.complete()]);
    await one.deliverHeld();
    await one.complete(task, [command.timer('t', 3600)]);
    expect((await one.story('p')).slice(-4)).toEqual([
      ...['TIMER_STARTED', 'CHILD_WORKFLOW_EXECUTION_STARTED', 'CHILD_WORKFLOW_EXECUTION_COMPLETED', 'WORKFLOW_TASK_SCHEDULED'],
    ]);
    const events = await one.events('p');
    expect(events.at(-2)!.childWorkflowExecutionCompletedEventAttributes!.startedEventId!.toString()).toBe(
      events.at(-3)!.eventId!.toString(),
    );
  });

  it('does not start a child of a parent that has closed', async () => {
    await one.start('p');
    await one.step('p', [command.child('c', { parentClosePolicy: enums.ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON })]);
    await one.rpc('TerminateWorkflowExecution', { workflowExecution: { workflowId: 'p' } });
    await one.deliverHeld();
    await expect(one.describe('c')).rejects.toThrow('not found');
    expect(await one.messagesLeft()).toBe(0);
  });

  it('finds the run to which its target has continued', async () => {
    await one.start('target');
    await one.start('sender');
    await one.step('sender', [command.signal('target', 'hello')]);
    await one.step('target', [command.continueAsNew()]);
    await one.deliverHeld();
    expect(await count('target', 'WORKFLOW_EXECUTION_SIGNALED')).toBe(1);
  });

  it('is delivered by another node when its sender has died', async () => {
    await one.start('p');
    await one.step('p', [command.child('c')]);
    const other = new EngineNode(database.url, { clock, others: true });
    await deliverOutboxOnce(other.engine);
    expect(await one.messagesLeft()).toBe(1); // it is still the sender's to deliver
    clock.forward(SENDER_DELIVERS_MS + 1);
    await deliverOutboxOnce(other.engine);
    await until('the child', () => other.describe('c'));
    expect(await count('p', 'CHILD_WORKFLOW_EXECUTION_STARTED')).toBe(1);
    expect(await one.messagesLeft()).toBe(0);
    await other.close();
  });

  it('is given back by a node that stops', async () => {
    const other = new EngineNode(database.url, { clock, others: true });
    await one.start('p');
    await one.step('p', [command.child('c')]);
    const stopping = other.engine.courier.stop();
    other.engine.courier.send(one.held);
    await stopping;
    expect(other.engine.courier.hasRoom).toBe(false);
    expect(await one.messagesLeft()).toBe(1);
    await other.engine.database.close();
  });
});

describe('a delivery that fails', () => {
  it('is put off, for longer each time, and is made up for', async () => {
    await one.start('p');
    await one.step('p', [command.child('c')]);
    const { engine } = new EngineNode(database.url, { clock, others: true });
    const ids = one.held.map((m) => m.id);
    const due = async (): Promise<number> =>
      (await engine.database.query<{ ms: number }>({ text: 'select not_before_ms as ms from outbox' }))[0]!.ms - clock.now();
    await engine.outbox.putOff(ids, clock.now(), { baseMs: 200, maxMs: 60_000 });
    expect(await due()).toBe(200);
    await engine.outbox.putOff(ids, clock.now(), { baseMs: 200, maxMs: 60_000 });
    expect(await due()).toBe(400);
    for (let i = 0; i < 40; i++) await engine.outbox.putOff(ids, clock.now(), { baseMs: 200, maxMs: 60_000 });
    expect(await due()).toBe(60_000);
    await deliverOutboxOnce(engine);
    expect(await one.messagesLeft()).toBe(1);
    clock.forward(60_000);
    await deliverOutboxOnce(engine);
    await until('the child', async () => (await count('p', 'CHILD_WORKFLOW_EXECUTION_STARTED')) === 1);
    await engine.courier.stop();
    await engine.database.close();
  });
});
