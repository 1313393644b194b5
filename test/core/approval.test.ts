/** Approvals in the core: what opens, decides and ends a request, and that a fold of the history says the same as the live state. */
import { describe, expect, it } from 'vitest';
import { enums, type HistoryEvent, type Payloads, toNumber } from '../../server/core/api.js';
import { CLOSED_MARKER, DECISION_SIGNAL, REQUEST_MARKER } from '../../server/core/approval-records.js';
import type { CommandContext } from '../../server/core/command-context.js';
import { handleCommands } from '../../server/core/commands.js';
import { durableView, foldHistory } from '../../server/core/evolve.js';
import { openApprovals, takeApprovalChanges } from '../../server/core/kinds/approval.js';
import { beginRun, scheduleFirstTask, terminateRun } from '../../server/core/kinds/run.js';
import { signalRun } from '../../server/core/kinds/signal.js';
import { completeWorkflowTask, scheduleWorkflowTask, startWorkflowTask } from '../../server/core/kinds/workflow-task.js';
import { DEFAULT_LIMITS } from '../../server/core/limits.js';
import { applyEvent } from '../../server/core/registry.js';
import type { Approval, RunState } from '../../server/core/run-state.js';
import { TaskFault } from '../../server/core/task-fault.js';
import { Turn, type TurnContext } from '../../server/core/turn.js';
import { Messages } from '../../server/core/update-messages.js';

const IDENTITY = { namespaceId: 'ns', namespace: 'default', workflowId: 'refund-1', runId: 'run-1', requestId: 'start-1' };
const UNTIL = '2026-01-02T00:00:00.000Z';

const json = (value: unknown): Payloads => ({ payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(value)) }] });

const request = (approvalId: unknown, more: object = {}): object => ({
  commandType: enums.CommandType.COMMAND_TYPE_RECORD_MARKER,
  recordMarkerCommandAttributes: { markerName: REQUEST_MARKER, details: { request: json({ approvalId, what: 'refund 120 EUR', from: 'finance', until: UNTIL, details: { order: 7 }, ...more }) } },
});

const closed = (approvalId: string, outcome: string): object => ({
  commandType: enums.CommandType.COMMAND_TYPE_RECORD_MARKER,
  recordMarkerCommandAttributes: { markerName: CLOSED_MARKER, details: { closed: json({ approvalId, outcome }) } },
});

const approvalsOf = (state: RunState): object => {
  const { approvals, approvalsOver, earlyDecisions } = durableView(state) as Record<string, unknown>;
  return { approvals, approvalsOver, earlyDecisions };
};

/** One run, turn by turn, with everything it ever wrote. */
class Story {
  nowMs = Date.parse('2026-01-01T00:00:00.000Z');
  readonly events: HistoryEvent[] = [];
  /** What the last turn gave the table. */
  rows: Approval[] = [];
  state!: RunState;
  readonly context: TurnContext;

  constructor() {
    const now = (): number => this.nowMs;
    this.context = {
      get nowMs() {
        return now();
      },
      limits: DEFAULT_LIMITS,
      newId: () => 'id',
      newRunId: () => 'run-2',
      apply: applyEvent, retentionMs: () => 0, attributeTypes: () => ({}),
    };
    const turn = beginRun({ ...IDENTITY, attributes: { workflowType: { name: 'refund' }, taskQueue: { name: 'agents' } } }, this.context);
    scheduleFirstTask(turn);
    this.keep(turn);
  }

  turn(work: (turn: Turn) => void): void {
    this.nowMs += 1000;
    const turn = new Turn(this.state, this.context);
    work(turn);
    this.keep(turn);
  }

  startTask(): void {
    this.turn((turn) => startWorkflowTask(turn, { identity: 'worker', requestId: 'poll' }));
  }

  answerTask(...commands: object[]): void {
    this.turn((turn) => {
      const event = completeWorkflowTask(turn, { identity: 'worker' });
      const context = { turn, completedEventId: toNumber(event.eventId), identity: 'worker', unseenEvents: turn.state.buffered.length > 0, rules: { limits: DEFAULT_LIMITS }, needsTask: false, eager: [], messages: new Messages([]) };
      handleCommands(context as unknown as CommandContext, commands);
      if (turn.state.buffered.length > 0) scheduleWorkflowTask(turn);
    });
  }

  task(...commands: object[]): void {
    if (!this.state.workflowTask) this.turn((turn) => scheduleWorkflowTask(turn));
    this.startTask();
    this.answerTask(...commands);
  }

  decide(approvalId: string, decision: string, by = 'anna', input: object = { approvalId, decision, by, reason: 'because' }): void {
    this.turn((turn) => signalRun(turn, { name: DECISION_SIGNAL, input: json(input), identity: 'grpcurl', requestId: `call-${by}` }));
  }

  private keep(turn: Turn): void {
    this.state = turn.state;
    this.rows = takeApprovalChanges(turn);
    this.events.push(...turn.events);
  }

  /** The live state, after checking that a fold of everything written yields the same. Only where nothing waits in the buffer. */
  checked(): RunState {
    expect(this.state.buffered).toEqual([]);
    expect(approvalsOf(foldHistory(IDENTITY, this.events))).toEqual(approvalsOf(this.state));
    return this.state;
  }
}

describe('an approval', () => {
  it('is open from its marker on, and tells the table what was asked once', () => {
    const story = new Story();
    story.task(request('a'));
    expect(story.rows).toMatchObject([{ approvalId: 'a', asked: { what: 'refund 120 EUR', from: 'finance', details: '{"order":7}' }, untilMs: Date.parse(UNTIL), outcome: null }]);
    expect(story.checked().approvals).toMatchObject([{ approvalId: 'a', asked: null, outcome: null }]);
    expect(openApprovals(story.state, story.nowMs)).toHaveLength(1);
    expect(openApprovals(story.state, Date.parse(UNTIL))).toHaveLength(0);
  });

  it('is decided by the first decision, and forgotten; later ones change nothing', () => {
    const story = new Story();
    story.task(request('a'));
    story.decide('a', 'approved', 'anna');
    expect(story.rows).toMatchObject([{ asked: null, outcome: { state: 'approved', by: 'anna', reason: 'because', requestId: 'call-anna' } }]);
    story.decide('a', 'rejected', 'bert');
    expect(story.rows).toEqual([]);
    expect(story.checked()).toMatchObject({ approvals: [], earlyDecisions: [], approvalsOver: ['a'] });
  });

  it('is not decided by what is no decision or meant for another request', () => {
    const story = new Story();
    story.task(request('a'));
    story.decide('a', 'perhaps');
    story.decide('b', 'approved');
    story.decide('', 'approved', 'x', ['no object']);
    story.turn((turn) => signalRun(turn, { name: 'another signal', input: json({ approvalId: 'a', decision: 'approved' }), identity: '' }));
    expect(openApprovals(story.checked(), story.nowMs)).toHaveLength(1);
  });

  it('ends without decision when its run gives it up; what comes then is dropped', () => {
    const story = new Story();
    story.task(request('a'), request('b'));
    story.task(closed('a', 'timed-out'), closed('b', 'cancelled'));
    expect(story.rows).toMatchObject([
      { approvalId: 'a', outcome: { state: 'expired', by: '' } },
      { approvalId: 'b', outcome: { state: 'withdrawn', by: '' } },
    ]);
    story.decide('a', 'approved');
    expect(story.rows).toEqual([]);
    expect(story.checked()).toMatchObject({ approvals: [], earlyDecisions: [] });
  });

  it('takes the sender when the signal does not say who decides', () => {
    const story = new Story();
    story.task(request('a'));
    story.decide('a', 'rejected', '', { approvalId: 'a', decision: 'rejected' });
    expect(story.rows).toMatchObject([{ outcome: { state: 'rejected', by: 'grpcurl', reason: '' } }]);
  });

  it('is decided by a decision that came before it, the first of them', () => {
    const story = new Story();
    story.decide('a', 'rejected', 'anna');
    story.decide('a', 'approved', 'bert');
    story.task(request('a'));
    expect(story.rows).toMatchObject([{ approvalId: 'a', asked: { from: 'finance' }, outcome: { state: 'rejected', by: 'anna' } }]);
    expect(story.checked()).toMatchObject({ approvals: [], earlyDecisions: [], approvalsOver: ['a'] });
  });

  it('remembers only so many early decisions', () => {
    const story = new Story();
    for (let i = 0; i < 102; i++) story.decide(`id-${i}`, 'approved');
    expect(story.checked().earlyDecisions).toHaveLength(100);
  });

  it('is decided by signals that wait in the buffer while the task that asks is still running', () => {
    const story = new Story();
    story.startTask();
    story.decide('a', 'approved', 'anna');
    story.decide('a', 'rejected', 'bert');
    story.answerTask(request('a'));
    expect(story.rows).toMatchObject([{ asked: { what: 'refund 120 EUR' }, outcome: { state: 'approved', by: 'anna' } }]);
    expect(story.checked()).toMatchObject({ approvals: [], earlyDecisions: [], approvalsOver: ['a'] });
  });

  it('cannot be given up by a task that has not seen its decision', () => {
    const story = new Story();
    story.task(request('a'), request('b'));
    story.turn((turn) => scheduleWorkflowTask(turn));
    story.startTask();
    story.decide('a', 'approved');
    const before = structuredClone(story.state);
    expect(() => story.answerTask(closed('a', 'timed-out'))).toThrow(TaskFault);
    story.state = before; // the shell throws a failed turn away
    story.answerTask(closed('b', 'cancelled'));
    expect(story.rows).toMatchObject([{ approvalId: 'b', outcome: { state: 'withdrawn' } }]);
    expect(story.checked().approvalsOver).toEqual(['a', 'b']);
  });

  it('keeps the order in which requests were opened, whatever changes first', () => {
    const story = new Story();
    story.task(request('a'), request('b'));
    story.turn((turn) => scheduleWorkflowTask(turn));
    story.startTask();
    story.decide('a', 'approved');
    story.answerTask(request('c'));
    expect(story.checked().approvals.map((a) => a.approvalId)).toEqual(['b', 'c']);
  });

  it('is withdrawn when the run ends, unless it was decided', () => {
    const story = new Story();
    story.task(request('a'), request('b'));
    story.decide('b', 'rejected');
    story.turn((turn) => void terminateRun(turn, { reason: 'enough', identity: 'ops' }));
    expect(story.rows).toMatchObject([{ approvalId: 'a', outcome: { state: 'withdrawn' } }]);
    expect(story.checked().approvals).toEqual([]);
  });

  it('may be asked and given up in one task', () => {
    const story = new Story();
    story.task(request('a'), closed('a', 'cancelled'));
    expect(story.rows).toMatchObject([{ approvalId: 'a', asked: { from: 'finance' }, outcome: { state: 'withdrawn' } }]);
    expect(story.checked().approvals).toEqual([]);
  });

  it('is there again, with all that was asked, in a run that begins from an old history', () => {
    const story = new Story();
    story.task(request('a'), request('b'));
    story.decide('b', 'approved');
    const rebuilt = new Turn(foldHistory({ ...IDENTITY, runId: 'run-2' }, story.events), story.context, true);
    expect(takeApprovalChanges(rebuilt)).toMatchObject([
      { approvalId: 'a', asked: { what: 'refund 120 EUR' }, outcome: null },
      { approvalId: 'b', asked: { what: 'refund 120 EUR' }, outcome: { state: 'approved' } },
    ]);
    expect(openApprovals(rebuilt.state, story.nowMs)).toMatchObject([{ approvalId: 'a' }]);
  });

  it.each([
    ['no id', request(''), 'approvalId must be a text that is not empty, not ""'],
    ['a number as id', request(7), 'approvalId must be a text that is not empty, not 7'],
    ['a long id', request('x'.repeat(1001)), 'approvalId has 1001 bytes, at most 1000 are allowed'],
    ['a bad time', request('a', { until: 'tomorrow' }), 'until must be an ISO 8601 time, not "tomorrow"'],
  ])('fails the task that asks with %s', (_what, command, text) => {
    expect(() => new Story().task(command)).toThrow(`BadRecordMarkerAttributes: Marker perdure.approval: ${text}.`);
  });

  it('fails the task that uses an id again, whether the first request is open or over', () => {
    const open = new Story();
    open.task(request('a'));
    expect(() => open.task(request('a'))).toThrow('approvalId "a" was used before in this run');
    const over = new Story();
    over.task(request('a'));
    over.decide('a', 'approved');
    expect(() => over.task(request('a'))).toThrow('approvalId "a" was used before in this run');
  });

  it('leaves alone what a payload codec has encrypted', () => {
    const story = new Story();
    const details = { request: { payloads: [{ metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.from('xyz') }] } };
    story.task({ commandType: enums.CommandType.COMMAND_TYPE_RECORD_MARKER, recordMarkerCommandAttributes: { markerName: REQUEST_MARKER, details } });
    expect(story.checked().approvals).toEqual([]);
  });
});
