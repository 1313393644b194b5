/**
 * Runs that start, signal, cancel, reset and end each other at random, on two nodes, their messages delivered late, out of order and more than
 * once. Whatever happens, every history is sound, folds to the live state, and tells of each thing that another run did once.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enums, type HistoryEvent, toDuration, toNumber } from '../../server/core/api.js';
import { ServiceError } from '../../server/core/errors.js';
import type { OutboxMessage } from '../../server/core/message.js';
import { deliverMessages } from '../../server/engine/deliver-messages.js';
import { command, EngineNode, ManualClock, type WorkflowTask } from '../helpers/engine-node.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';

type Command = NonNullable<Parameters<EngineNode['complete']>[1]>[number];
const REUSE = enums.WorkflowIdReusePolicy;
const CLOSE = enums.ParentClosePolicy;

let database: TestDatabase;
let clock: ManualClock;
let nodes: [EngineNode, EngineNode];

beforeAll(async () => {
  database = await createDatabase();
  clock = new ManualClock();
  const options = { clock, holdMessages: true, others: true };
  nodes = [new EngineNode(database.url, options), new EngineNode(database.url, options)];
  await nodes[0].addNamespace('default');
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.close()));
  await database.drop();
});

/** A step: which kind, and numbers that choose everything else. */
const step = fc.tuple(fc.nat(99), fc.nat(999), fc.nat(999), fc.nat(999));
type Step = [kind: number, a: number, b: number, c: number];

/** What callers may be told, the world being as it is. */
const EXPECTED = new Set(['NOT_FOUND', 'INVALID_ARGUMENT', 'ALREADY_EXISTS', 'FAILED_PRECONDITION', 'RESOURCE_EXHAUSTED']);

class World {
  private readonly ids: string[];
  private readonly tasks = new Map<string, WorkflowTask>();
  private messages: OutboxMessage[] = [];
  private counter = 0;

  constructor(readonly name: string) {
    this.ids = ['a', 'b', 'c', 'd', 'e'].map((id) => `${name}-${id}`);
  }

  private id = (n: number): string => this.ids[n % this.ids.length]!;

  async take(steps: readonly Step[]): Promise<void> {
    for (const each of steps) {
      await this.one(each).catch((error: unknown) => {
        if (!(error instanceof ServiceError) || !EXPECTED.has(error.code)) throw error;
      });
      this.collect();
    }
  }

  private async one([kind, a, b, c]: Step): Promise<void> {
    const node = nodes[c % 2]!;
    const workflowExecution = { workflowId: this.id(a) };
    if (kind < 7) await this.start(node, a, b);
    else if (kind < 37) await this.poll(a);
    else if (kind < 65) await this.answer(node, a, b);
    else if (kind < 85) await this.deliver(node, a, b);
    else if (kind < 89) await node.rpc('SignalWorkflowExecution', { workflowExecution, signalName: 's', requestId: `r${b % 5}` });
    else if (kind < 91) await node.rpc('RequestCancelWorkflowExecution', { workflowExecution });
    else if (kind < 92) await node.rpc('TerminateWorkflowExecution', { workflowExecution });
    else if (kind < 96) await node.forward(b * 10);
    else await this.reset(node, a, b);
  }

  private async start(node: EngineNode, a: number, b: number): Promise<void> {
    const retryPolicy = b % 3 === 0 ? { initialInterval: toDuration(1_000), maximumAttempts: 3 } : undefined;
    const workflowRunTimeout = b % 5 === 0 ? toDuration(20_000) : undefined;
    await node.start(this.id(a), { retryPolicy, workflowRunTimeout, cronSchedule: b % 7 === 0 ? '@every 5s' : '' });
  }

  /** Takes a workflow task when one waits. */
  private async poll(a: number): Promise<void> {
    const queue = this.id(a);
    const { engine } = nodes[0];
    const [waiting] = await engine.database.query<{ count: number }>({
      text: 'select count(*)::int as count from tasks where queue = $1 and kind = 1',
      values: [queue],
    });
    if (waiting!.count === 0) return;
    const current = await engine.runs.current((await engine.registry.require('default')).id, queue);
    const task = current && (await engine.runs.load(current.runId))?.state.workflowTask;
    if (task && !task.startedEventId) this.tasks.set(queue, await nodes[0].poll(queue));
  }

  private async answer(node: EngineNode, a: number, b: number): Promise<void> {
    const held = [...this.tasks.keys()];
    const queue = held[a % held.length];
    if (!queue) return;
    const task = this.tasks.get(queue)!;
    this.tasks.delete(queue);
    if (b % 11 === 0) await node.rpc('RespondWorkflowTaskFailed', { taskToken: task.taskToken, failure: { message: 'x' } });
    else await node.complete(task, this.commands(b), { forceCreateNewWorkflowTask: b % 9 === 0 });
  }

  private commands(b: number): Command[] {
    const other = this.id(b + 1);
    const third = this.id(b + 2);
    const options = {
      parentClosePolicy: [CLOSE.PARENT_CLOSE_POLICY_TERMINATE, CLOSE.PARENT_CLOSE_POLICY_ABANDON, CLOSE.PARENT_CLOSE_POLICY_REQUEST_CANCEL][
        b % 3
      ],
      workflowIdReusePolicy:
        b % 4 === 0 ? REUSE.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING : REUSE.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
    };
    const choices: (() => Command[])[] = [
      () => [command.child(other, options)],
      () => [command.child(other, options), command.child(third, options), command.child(other, options)],
      () => [command.signal(other, 'x'), command.signal(third, 'y', { childWorkflowOnly: true })],
      () => [command.cancelOther(other), command.timer(`t${this.counter++}`, 3)],
      () => [command.child(other, options), command.complete()],
      () => [command.continueAsNew()],
      () => [command.signal(other, 'z'), command.fail()],
      () => [command.complete()],
      () => [],
    ];
    return choices[b % choices.length]!();
  }

  private collect(): void {
    for (const node of nodes) this.messages.push(...node.held.splice(0));
  }

  /** Delivers a few messages from anywhere, on one node or on both at once; some are kept, to be delivered again. */
  private async deliver(node: EngineNode, a: number, b: number): Promise<void> {
    if (this.messages.length === 0) return;
    const taken = this.messages.splice(a % this.messages.length, 1 + (b % 3));
    const at = b % 4 === 0 ? nodes : [node];
    const [failed] = (await Promise.allSettled(at.map((each) => deliverMessages(each.engine, taken)))).filter((each) => each.status === 'rejected');
    // what a run that is closing did not take stays in the outbox
    if (failed || b % 5 === 0) this.messages.push(...taken);
    if (failed) throw failed.reason;
  }

  private async reset(node: EngineNode, a: number, b: number): Promise<void> {
    const workflowExecution = { workflowId: this.id(a) };
    await node.rpc('ResetWorkflowExecution', {
      workflowExecution,
      workflowTaskFinishEventId: 3 + (b % 15),
      requestId: `reset-${this.counter++}`,
      reason: 'sim',
    });
  }

  /** Delivers all that is left. A run that is closing takes messages again once its task has timed out. */
  async drain(): Promise<void> {
    for (this.collect(); this.messages.length > 0; this.collect()) {
      const some = this.messages.splice(0, 5);
      await deliverMessages(nodes[0].engine, some).catch(async (error: unknown) => {
        if (!(error instanceof ServiceError) || error.code !== 'RESOURCE_EXHAUSTED') throw error;
        this.messages.push(...some);
        await nodes[0].forward(11_000);
      });
    }
  }

  async histories(): Promise<HistoryEvent[][]> {
    const runs = await nodes[0].engine.database.query<{ run_id: string; workflow_id: string }>({
      text: 'select run_id, workflow_id from runs where workflow_id like $1',
      values: [`${this.name}-%`],
    });
    return Promise.all(runs.map((run) => nodes[0].events(run.workflow_id, run.run_id)));
  }
}

const initiatedBy = (events: HistoryEvent[], ...keys: (keyof HistoryEvent)[]): number[] =>
  events.flatMap((event) => {
    const key = keys.find((each) => event[each]);
    return key ? [toNumber((event[key] as { initiatedEventId?: never }).initiatedEventId)] : [];
  });

function expectSound(events: HistoryEvent[]): void {
  expect(events.map((e) => toNumber(e.eventId))).toEqual(events.map((_, i) => i + 1));
  const unique = (ids: number[]): void => expect(ids).toEqual([...new Set(ids)]);
  unique(initiatedBy(events, 'childWorkflowExecutionStartedEventAttributes', 'startChildWorkflowExecutionFailedEventAttributes'));
  unique(
    initiatedBy(
      events,
      'childWorkflowExecutionCompletedEventAttributes',
      'childWorkflowExecutionFailedEventAttributes',
      'childWorkflowExecutionCanceledEventAttributes',
      'childWorkflowExecutionTimedOutEventAttributes',
      'childWorkflowExecutionTerminatedEventAttributes',
    ),
  );
  unique(initiatedBy(events, 'externalWorkflowExecutionSignaledEventAttributes', 'signalExternalWorkflowExecutionFailedEventAttributes'));
  unique(
    initiatedBy(
      events,
      'externalWorkflowExecutionCancelRequestedEventAttributes',
      'requestCancelExternalWorkflowExecutionFailedEventAttributes',
    ),
  );
}

describe('runs in relation to each other', () => {
  it('stay sound whatever they do, and whatever becomes of their messages', { timeout: 120_000 }, async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 80, maxLength: 250 }), async (steps) => {
        const world = new World(`w${round++}`);
        await world.take(steps as Step[]);
        await world.drain();
        for (const events of await world.histories()) expectSound(events);
      }),
      { numRuns: 12, endOnFailure: true, ...(process.env['SIM_SEED'] && { seed: Number(process.env['SIM_SEED']) }) },
    );
    expect(await nodes[0].messagesLeft()).toBe(0);
    await nodes[0].expectFoldsToLive();
  });
});
