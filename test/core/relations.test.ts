/** In the core alone: what a message does to the run that it finds, what a close tells whom, what follows a run, and the clocks of a reset. */
import { describe, expect, it } from 'vitest';
import { api, enums, type HistoryEvent, toDuration } from '../../server/core/api.js';
import { needsStarted } from '../../server/core/deadline.js';
import { durableView, foldHistory } from '../../server/core/evolve.js';
import { initiateChild, recordChildStarted } from '../../server/core/kinds/child-run.js';
import { announceClose, announceContinuation } from '../../server/core/kinds/close.js';
import { cancelExternal, signalExternal } from '../../server/core/kinds/external.js';
import { beginReset, reapply, type Reset, resume } from '../../server/core/kinds/reset.js';
import { afterCompletion, afterFailure, beginSuccessor } from '../../server/core/kinds/retry-and-cron.js';
import { beginRun, type NewRun, scheduleFirstTask, terminateRun } from '../../server/core/kinds/run.js';
import { completeWorkflowTask, startWorkflowTask } from '../../server/core/kinds/workflow-task.js';
import { DEFAULT_LIMITS } from '../../server/core/limits.js';
import type { Message } from '../../server/core/message.js';
import { applyEvent } from '../../server/core/registry.js';
import type { RunState } from '../../server/core/run-state.js';
import { type IncomingMessage, type Taken, takeMessage } from '../../server/core/take-message.js';
import { Turn, type TurnContext } from '../../server/core/turn.js';

const PARENT = { namespaceId: 'ns', workflowId: 'parent', runId: 'parent-1', formerRunIds: [] };
const POLICY = enums.ParentClosePolicy;
const START_MS = Date.parse('2026-01-01T00:00:00.000Z');

/** One run, turn by turn, with every event it wrote. */
class Life {
  nowMs = START_MS;
  readonly events: HistoryEvent[] = [];
  state: RunState;
  /** What the last turn asked the shell to do. */
  effects: Turn['effects'] = [];

  constructor(attributes: NewRun['attributes'] = {}) {
    const run = { namespaceId: 'ns', namespace: 'default', workflowId: 'w', runId: 'run-1', requestId: 'start' };
    const turn = beginRun({ ...run, attributes: { workflowType: { name: 'W' }, taskQueue: { name: 'q' }, workflowTaskTimeout: toDuration(10_000), ...attributes } }, this.context());
    scheduleFirstTask(turn);
    this.state = turn.state;
    this.keep(turn);
  }

  context(): TurnContext {
    let runs = 1;
    return {
      nowMs: this.nowMs,
      limits: DEFAULT_LIMITS,
      newId: () => 'id',
      newRunId: () => `run-${++runs}`,
      retentionMs: () => 1_000,
      attributeTypes: () => ({}),
      apply: applyEvent,
    };
  }

  turn<R>(decide: (turn: Turn) => R): R {
    const turn = new Turn(this.state, this.context());
    const result = decide(turn);
    this.keep(turn);
    return result;
  }

  /** Starts and completes the workflow task that is pending; the completed event's id. */
  step(decide: (turn: Turn, completedEventId: number) => void): void {
    this.turn((turn) => startWorkflowTask(turn, { identity: 'w', requestId: 'r' }));
    this.turn((turn) => decide(turn, Number(completeWorkflowTask(turn, { identity: 'w' }).eventId)));
  }

  take(message: IncomingMessage['message']): Taken {
    return this.turn((turn) => takeMessage(turn, { id: 'm', message }));
  }

  messages(): Message[] {
    return this.effects.flatMap((effect) => (effect.type === 'message' ? [effect.message] : []));
  }

  last(): HistoryEvent {
    return this.events.at(-1)!;
  }

  private keep(turn: Turn): void {
    this.events.push(...turn.events);
    this.effects = turn.effects;
    const { info, ...rest } = this.state;
    expect(durableView(foldHistory({ ...info, requestId: 'start' }, this.events))).toEqual(durableView({ info, ...rest }));
  }
}

const asChild = { parentWorkflowNamespace: 'default', parentWorkflowNamespaceId: 'ns', parentWorkflowExecution: { workflowId: 'parent', runId: 'parent-1' }, parentInitiatedEventId: 5 as never };

/** A run with a started child; event 5 initiated it. */
function parentOf(policy: number): Life {
  const life = new Life();
  life.step((turn, completedEventId) => initiateChild(turn, { workflowId: 'c', workflowType: { name: 'C' }, parentClosePolicy: policy }, { completedEventId, namespaceId: 'ns' }));
  expect(life.messages()).toEqual([{ kind: 'start-child', to: { namespaceId: 'ns', workflowId: 'w', runId: 'run-1' }, initiatedEventId: 5 }]);
  life.turn((turn) => recordChildStarted(turn, turn.state.children[5]!, 'c-1', undefined));
  return life;
}

const closeEvent = api.history.v1.HistoryEvent.encode({
  eventType: enums.EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
  workflowExecutionCompletedEventAttributes: {},
}).finish();

const childClosed = (more: object = {}): Extract<Message, { kind: 'child-closed' }> => ({
  kind: 'child-closed',
  to: { namespaceId: 'ns', workflowId: 'w', runId: 'run-1' },
  initiatedEventId: 5,
  workflowId: 'c',
  runId: 'c-2',
  firstRunId: 'c-1',
  closeEvent,
  ...more,
});

const parentClosed = (more: object = {}): Extract<Message, { kind: 'parent-closed' }> => ({
  kind: 'parent-closed',
  to: { namespaceId: 'ns', workflowId: 'w', runId: '' },
  parent: PARENT,
  firstRunId: 'run-1',
  policy: POLICY.PARENT_CLOSE_POLICY_TERMINATE,
  ...more,
});

describe('a message', () => {
  it('of a child’s end counts once, and only for the chain that was started', () => {
    const life = parentOf(POLICY.PARENT_CLOSE_POLICY_TERMINATE);
    expect(life.take(childClosed({ firstRunId: 'another' }))).toBe('void');
    expect(life.take(childClosed({ workflowId: 'another' }))).toBe('void');
    expect(life.take(childClosed())).toBe('taken');
    expect(life.last().childWorkflowExecutionCompletedEventAttributes).toMatchObject({ workflowExecution: { runId: 'c-2' } });
    expect(life.take(childClosed())).toBe('void');
  });

  it('of a child’s end moves on to the run that a reset made', () => {
    const life = parentOf(POLICY.PARENT_CLOSE_POLICY_TERMINATE);
    life.turn((turn) => terminateRun(turn, { reason: '', identity: '' }));
    expect(life.take(childClosed())).toBe('void');
    life.state.resetRunId = 'run-9';
    expect(life.take(childClosed())).toEqual({ moved: 'run-9' });
  });

  it.each([
    ['of its own', {}, 'taken'],
    ['under a name from before a reset', { parent: { ...PARENT, runId: 'parent-2', formerRunIds: ['parent-1'] } }, 'taken'],
    ['of another run', { parent: { ...PARENT, runId: 'parent-2' } }, 'void'],
    ['that meant another chain', { firstRunId: 'another' }, 'void'],
  ])('of a parent’s end, %s', (_, more, taken) => {
    expect(new Life(asChild).take(parentClosed(more))).toBe(taken);
  });

  it('of a signal or cancel is answered when it changes nothing', () => {
    const from = { ...PARENT, initiatedEventId: 7 };
    const attributes = api.history.v1.SignalExternalWorkflowExecutionInitiatedEventAttributes.encode({ signalName: 's' }).finish();
    const to = { namespaceId: 'ns', workflowId: 'w', runId: '' };
    const signal = { kind: 'signal', to, from, childOnly: true, requestId: 'r', attributes } as const;
    const cancel = { kind: 'cancel', to, from, childOnly: true, requestId: 'r', reason: '' } as const;
    const stranger = new Life();
    expect(stranger.take(signal)).toMatchObject({ answer: expect.any(Number) });
    expect(stranger.take(cancel)).toMatchObject({ answer: expect.any(Number) });
    const child = new Life(asChild);
    expect(child.take(signal)).toBe('taken');
    expect(child.messages()).toEqual([{ kind: 'signal-answered', to: from, initiatedEventId: 7, failedCause: 0 }]);
    expect(child.take(cancel)).toBe('taken');
    expect(child.take(cancel)).toEqual({ answer: 0 });
    child.turn((turn) => terminateRun(turn, { reason: '', identity: '' }));
    expect(child.take(cancel)).toEqual({ answer: 0 });
    expect(child.take(signal)).toMatchObject({ answer: expect.any(Number) });
  });

  it('that answers one is taken while the sender waits for it', () => {
    const life = new Life();
    life.step((turn, completedEventId) => {
      signalExternal(turn, { execution: { workflowId: 'x' }, signalName: 's' }, { completedEventId, namespaceId: 'ns' });
      cancelExternal(turn, { workflowId: 'x' }, { completedEventId, namespaceId: 'ns' });
    });
    expect(life.messages().map((m) => m.kind)).toEqual(['signal', 'cancel']);
    const to = { namespaceId: 'ns', workflowId: 'w', runId: 'run-1' };
    expect(life.take({ kind: 'signal-answered', to, initiatedEventId: 5, failedCause: 0 })).toBe('taken');
    expect(life.take({ kind: 'signal-answered', to, initiatedEventId: 5, failedCause: 0 })).toBe('void');
    expect(life.take({ kind: 'cancel-answered', to, initiatedEventId: 6, failedCause: 1 })).toBe('taken');
    expect(life.last().requestCancelExternalWorkflowExecutionFailedEventAttributes).toMatchObject({ cause: 1 });
  });
});

describe('the end of a run', () => {
  const told = (life: Life, announce: (turn: Turn, event: HistoryEvent) => void): Message['kind'][] => {
    life.turn((turn) => announce(turn, terminateRun(turn, { reason: '', identity: '' })));
    return life.messages().map((m) => m.kind);
  };

  it('is told to the parent, a continuation is not', () => {
    expect(told(new Life(asChild), announceClose)).toEqual(['child-closed']);
    expect(told(new Life(asChild), announceContinuation)).toEqual([]);
  });

  it.each([
    ['TERMINATE', ['parent-closed']],
    ['REQUEST_CANCEL', ['parent-closed']],
    ['ABANDON', []],
  ] as const)('is told to children with policy %s, as is a continuation', (policy, kinds) => {
    expect(told(parentOf(POLICY[`PARENT_CLOSE_POLICY_${policy}`]), announceClose)).toEqual(kinds);
    expect(told(parentOf(POLICY[`PARENT_CLOSE_POLICY_${policy}`]), announceContinuation)).toEqual(kinds);
  });
});

describe('what follows a run', () => {
  const retryPolicy = { initialInterval: toDuration(1_000), backoffCoefficient: 2, maximumAttempts: 2 };
  const INITIATOR = enums.ContinueAsNewInitiator;

  it('after a failure is the next attempt, then the schedule, then nothing', () => {
    const both = new Life({ retryPolicy, cronSchedule: '0 * * * *', attempt: 1 });
    expect(both.turn((turn) => afterFailure(turn, {}))).toMatchObject({ successor: { initiator: INITIATOR.CONTINUE_AS_NEW_INITIATOR_RETRY, backoffMs: 1_000 } });
    const second = new Life({ retryPolicy, cronSchedule: '0 * * * *', attempt: 2 });
    expect(second.turn((turn) => afterFailure(turn, {}))).toMatchObject({
      retryState: enums.RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
      successor: { initiator: INITIATOR.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE, backoffMs: 3_600_000 },
    });
    expect(new Life({ retryPolicy, attempt: 2 }).turn((turn) => afterFailure(turn, {})).successor).toBeUndefined();
  });

  it('after a result is the schedule, if it can be read', () => {
    expect(new Life({ cronSchedule: '@every 90s' }).turn(afterCompletion)).toMatchObject({ backoffMs: 90_000 });
    expect(new Life({ cronSchedule: 'nonsense' }).turn(afterCompletion)).toBeUndefined();
    expect(new Life().turn(afterCompletion)).toBeUndefined();
  });

  it('needs the first event when it is overdue, and not when its chain is', () => {
    const attributes = { retryPolicy, workflowRunTimeout: toDuration(5_000) };
    expect(needsStarted(new Life(attributes).state, START_MS + 4_999)).toBe(false);
    expect(needsStarted(new Life(attributes).state, START_MS + 5_000)).toBe(true);
    const chain = new Life({ ...attributes, workflowExecutionExpirationTime: { seconds: (START_MS / 1000 + 5) as never } });
    expect(needsStarted(chain.state, START_MS + 5_000)).toBe(false);
    expect(() => new Life(attributes).turn((turn) => beginSuccessor(turn, undefined, { runId: 'x', initiator: 2, backoffMs: 0 }, {}))).toThrow('first event');
  });
});

describe('a reset', () => {
  it('folds to the state it lives in, with clocks that start at its own time', () => {
    const old = new Life({ workflowRunTimeout: toDuration(60_000) });
    const kept = old.events.slice(0, 2);
    const state = foldHistory({ namespaceId: 'ns', namespace: 'default', workflowId: 'w', runId: 'run-2', requestId: 'start' }, kept);
    old.nowMs += 30_000;
    const reset: Reset = { reason: 'why', baseRunId: 'run-1', requestId: 'reset', excluded: new Set(), underWay: new Map() };
    const turn = beginReset(state, reset, old.context());
    const signal = { eventType: enums.EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, workflowExecutionSignaledEventAttributes: { signalName: 's', requestId: 'r' } };
    reapply(turn, { ...signal, eventId: 99 as never }, reset);
    resume(turn, reset);
    expect(turn.events.map((e) => Number(e.eventId))).toEqual([3, 4, 5, 6]);
    expect(turn.requestIds).toEqual(['r']);
    expect(state.info).toMatchObject({ startMs: old.nowMs, originalStartMs: START_MS, lastResetMs: old.nowMs, baseRunIds: ['run-1'], runExpirationMs: old.nowMs + 60_000 });
    const folded = foldHistory({ ...state.info, requestId: 'start' }, [...kept, ...turn.events]);
    expect(durableView(folded)).toEqual(durableView(state));
  });

  it('needs a pending workflow task', () => {
    const old = new Life();
    old.step(() => undefined);
    const state = foldHistory({ ...old.state.info, requestId: 'start' }, old.events);
    const reset: Reset = { reason: '', baseRunId: 'run-1', requestId: 'reset', excluded: new Set(), underWay: new Map() };
    expect(() => beginReset(state, reset, old.context())).toThrow('Can only reset workflow to event ID in range');
  });
});
