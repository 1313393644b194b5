/** Approvals in the core: what opens, decides and ends a request, and that a fold of the history says the same as the live state. */
import { describe, expect, it } from 'vitest';
import { enums, type HistoryEvent, type Payloads, toNumber } from '../../server/core/api.js';
import { CLOSED_MARKER, DECISION_SIGNAL, REQUEST_MARKER } from '../../server/core/approval-records.js';
import type { CommandContext } from '../../server/core/command-context.js';
import { handleCommands } from '../../server/core/commands.js';
import { durableView, foldHistory } from '../../server/core/evolve.js';
import { findApproval, openApprovals, takeApprovalChanges } from '../../server/core/kinds/approval.js';
import { beginRun, scheduleFirstTask, terminateRun } from '../../server/core/kinds/run.js';
import { signalRun } from '../../server/core/kinds/signal.js';
import { completeWorkflowTask, scheduleWorkflowTask, startWorkflowTask } from '../../server/core/kinds/workflow-task.js';
import { DEFAULT_LIMITS } from '../../server/core/limits.js';
import { applyEvent } from '../../server/core/registry.js';
import type { Approval, RunState } from '../../server/core/run-state.js';
import { TaskFault } from '../../server/core/task-fault.js';
import { Turn, type TurnContext } from '../../server/core/turn.js';

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

/** One run, turn by turn, with everything it ever wrote. */
class Story {
  nowMs = Date.parse('2026-01-01T00:00:00.000Z');
  readonly events: HistoryEvent[] = [];
  /** What the last turn gave the table. */
  rows: Approval[] = [];
  state!: RunState;
  private readonly context: TurnContext;

  constructor() {
    const now = (): number => this.nowMs;
    this.context = {
      get nowMs() {
        return now();
      },
      limits: DEFAULT_LIMITS,
      newId: () => 'id',
      newRunId: () => 'run-2',
      apply: applyEvent, attributeTypes: () => ({}),
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
      const context = { turn, completedEventId: toNumber(event.eventId), identity: 'worker', unseenEvents: turn.state.buffered.length > 0, rules: { limits: DEFAULT_LIMITS }, needsTask: false, eager: [] };
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
    expect((durableView(foldHistory(IDENTITY, this.events)) as { approvals: unknown }).approvals).toEqual((durableView(this.state) as { approvals: unknown }).approvals);
    return this.state;
  }
}

describe('an approval', () => {
  it('is open from its marker on, and tells the table what was asked once', () => {
    const story = new Story();
    story.task(request('a'));
    expect(story.rows).toMatchObject([{ approvalId: 'a', asked: { what: 'refund 120 EUR', from: 'finance', details: '{"order":7}' }, untilMs: Date.parse(UNTIL), outcome: null }]);
    expect(findApproval(story.checked(), 'a')).toMatchObject({ asked: null, outcome: null });
    expect(openApprovals(story.state, story.nowMs)).toHaveLength(1);
    expect(openApprovals(story.state, Date.parse(UNTIL))).toHaveLength(0);
  });

  it('is decided by the first decision; later ones change nothing', () => {
    const story = new Story();
    story.task(request('a'));
    story.decide('a', 'approved', 'anna');
    expect(story.rows).toMatchObject([{ asked: null, outcome: { state: 'approved', by: 'anna', reason: 'because', requestId: 'call-anna' } }]);
    story.decide('a', 'rejected', 'bert');
    expect(story.rows).toEqual([]);
    expect(findApproval(story.checked(), 'a')).toMatchObject({ outcome: { state: 'approved', by: 'anna' } });
    story.task(closed('a', 'approved'));
    expect(story.rows).toMatchObject([{ closed: true, outcome: { state: 'approved', by: 'anna' } }]);
    expect(story.checked().approvals).toEqual([]);
  });

  it('drops a decision for what was never asked, is over, or is no decision', () => {
    const story = new Story();
    story.decide('a', 'approved');
    story.task(request('a'));
    expect(findApproval(story.checked(), 'a')?.outcome).toBeNull();
    story.decide('a', 'perhaps');
    story.decide('b', 'approved');
    story.decide('', 'approved', 'x', ['no object']);
    expect(findApproval(story.checked(), 'a')?.outcome).toBeNull();
    story.task(closed('a', 'expired'));
    expect(story.rows).toMatchObject([{ outcome: { state: 'expired', by: '' } }]);
    story.decide('a', 'approved');
    expect(story.rows).toEqual([]);
    expect(story.checked().approvals).toEqual([]);
  });

  it('takes the sender when the signal does not say who decides', () => {
    const story = new Story();
    story.task(request('a'));
    story.decide('a', 'rejected', '', { approvalId: 'a', decision: 'rejected' });
    expect(findApproval(story.checked(), 'a')?.outcome).toMatchObject({ state: 'rejected', by: 'grpcurl', reason: '' });
  });

  it('is decided by a signal that waits in the buffer while the task that asks is still running', () => {
    const story = new Story();
    story.startTask();
    story.decide('a', 'approved');
    story.answerTask(request('a'));
    expect(story.rows).toMatchObject([{ asked: { what: 'refund 120 EUR' }, outcome: { state: 'approved' } }]);
    expect(findApproval(story.checked(), 'a')?.outcome).toMatchObject({ state: 'approved', by: 'anna' });
  });

  it('cannot be ended by a task that has not seen its decision', () => {
    const story = new Story();
    story.task(request('a'), request('b'));
    story.turn((turn) => scheduleWorkflowTask(turn));
    story.startTask();
    story.decide('a', 'approved');
    const before = structuredClone(story.state);
    expect(() => story.answerTask(closed('a', 'expired'))).toThrow(TaskFault);
    story.state = before; // the shell throws a failed turn away
    story.answerTask(closed('b', 'withdrawn'));
    expect(story.checked().approvals).toMatchObject([{ approvalId: 'a', outcome: { state: 'approved' } }]);
    story.task(closed('a', 'approved'));
    expect(story.checked().approvals).toEqual([]);
  });

  it('can be ended while a second decision waits in the buffer', () => {
    const story = new Story();
    story.task(request('a'));
    story.decide('a', 'approved', 'anna');
    story.startTask();
    story.decide('a', 'rejected', 'bert');
    story.answerTask(closed('a', 'approved'));
    expect(story.checked().approvals).toEqual([]);
  });

  it('keeps the order in which requests were opened, whatever changes first', () => {
    const story = new Story();
    story.task(request('a'));
    story.turn((turn) => scheduleWorkflowTask(turn));
    story.startTask();
    story.decide('a', 'approved');
    story.answerTask(request('b'));
    expect(story.checked().approvals.map((a) => a.approvalId)).toEqual(['a', 'b']);
  });

  it('is withdrawn when the run ends, unless it was decided', () => {
    const story = new Story();
    story.task(request('a'), request('b'));
    story.decide('b', 'rejected');
    story.turn((turn) => void terminateRun(turn, { reason: 'enough', identity: 'ops' }));
    expect(story.rows).toMatchObject([
      { approvalId: 'a', outcome: { state: 'withdrawn' } },
      { approvalId: 'b', outcome: { state: 'rejected', by: 'anna' } },
    ]);
    expect(story.checked().approvals).toEqual([]);
  });

  it('may be asked and withdrawn in one task, and its id used again afterwards', () => {
    const story = new Story();
    story.task(request('a'), closed('a', 'withdrawn'));
    expect(story.rows).toMatchObject([{ approvalId: 'a', closed: true, asked: { from: 'finance' }, outcome: { state: 'withdrawn' } }]);
    story.task(request('a', { what: 'again' }));
    expect(story.rows).toMatchObject([{ asked: { what: 'again' }, outcome: null }]);
    expect(openApprovals(story.checked(), story.nowMs)).toHaveLength(1);
  });

  it.each([
    ['no id', request(''), 'approvalId must be a text that is not empty, not ""'],
    ['a number as id', request(7), 'approvalId must be a text that is not empty, not 7'],
    ['a long id', request('x'.repeat(1001)), 'approvalId has 1001 bytes, at most 1000 are allowed'],
    ['a bad time', request('a', { until: 'tomorrow' }), 'until must be an ISO 8601 time, not "tomorrow"'],
  ])('fails the task that asks with %s', (_what, command, text) => {
    expect(() => new Story().task(command)).toThrow(`BadRecordMarkerAttributes: Marker perdure.approval: ${text}.`);
  });

  it('fails the task that uses the id of an open request', () => {
    const story = new Story();
    story.task(request('a'));
    expect(() => story.task(request('a'))).toThrow('approvalId "a" is in use by a request that is not over');
  });

  it('leaves alone what a payload codec has encrypted', () => {
    const story = new Story();
    const command = { commandType: enums.CommandType.COMMAND_TYPE_RECORD_MARKER, recordMarkerCommandAttributes: { markerName: REQUEST_MARKER, details: { request: { payloads: [{ metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.from('xyz') }] } } } };
    story.task(command);
    expect(story.checked().approvals).toEqual([]);
  });
});
