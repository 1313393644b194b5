/**
 * The approval: a question of the run to a person, open from its marker on until a decision, its time or the run's end.
 * It has no commands and events of its own; markers and signals carry it (docs/decisions/0005-approvals.md).
 */
import { api, enums, fromTimestamp, type HistoryEvent, type temporal } from '../api.js';
import {
  CLOSED_MARKER,
  type DecisionRecord,
  DECISION_SIGNAL,
  decisionInput,
  readClosed,
  readDecision,
  readRequest,
  REQUEST_MARKER,
} from '../approval-records.js';
import type { Approval, ApprovalOutcome, RunState } from '../run-state.js';
import { TaskFault } from '../task-fault.js';
import type { Turn } from '../turn.js';
import { utf8Length } from '../validate/text-length.js';

type MarkerAttributes = temporal.api.command.v1.IRecordMarkerCommandAttributes;
const CAUSE = enums.WorkflowTaskFailedCause;
const EventCodec = api.history.v1.HistoryEvent;

/** Decisions remembered for a run that came before their request. */
const EARLY_MAX = 100;

/** Requests that are over whose ids are remembered: a decision for one of them, or a second request of that id, means nothing new. */
const OVER_MAX = 200;

const findOpen = (state: RunState, approvalId: string): Approval | undefined =>
  state.approvals.find((a) => a.approvalId === approvalId && !a.outcome);

/** Requests that a person can still decide at that moment. */
export const openApprovals = (state: RunState, nowMs: number): Approval[] =>
  state.approvals.filter((a) => !a.outcome && (a.untilMs === 0 || nowMs < a.untilMs));

/** A decision by call: the signal that tells the run, which is what decides the request. */
export const decisionSignal = (
  record: DecisionRecord,
  requestId: string,
): { name: string; input: object; identity: string; requestId: string } => ({
  name: DECISION_SIGNAL,
  input: decisionInput(record),
  identity: record.by,
  requestId,
});

/** Refuses a marker that asks wrongly, and one that gives up a request whose decision its worker has not seen. */
export function checkApprovalMarker(turn: Turn, attributes: MarkerAttributes): void {
  if (attributes.markerName === REQUEST_MARKER) {
    const problem = requestProblem(turn, attributes);
    if (problem)
      throw new TaskFault(CAUSE.WORKFLOW_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES, `Marker ${REQUEST_MARKER}: ${problem}.`);
  } else if (attributes.markerName === CLOSED_MARKER) {
    const closed = readClosed(attributes);
    if (!closed || findOpen(turn.state, closed.approvalId)) return;
    if (decidedInBuffer(turn.state, closed.approvalId)) throw new TaskFault(CAUSE.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, '');
  }
}

function requestProblem({ state, limits }: Turn, attributes: MarkerAttributes): string | undefined {
  const request = readRequest(attributes);
  if (request === 'unreadable') return undefined;
  if ('problem' in request) return request.problem;
  const { approvalId } = request;
  if (utf8Length(approvalId) > limits.idLengthMax)
    return `approvalId has ${utf8Length(approvalId)} bytes, at most ${limits.idLengthMax} are allowed`;
  if (findOpen(state, approvalId) || state.approvalsOver.includes(approvalId))
    return `approvalId ${JSON.stringify(approvalId)} was used before in this run`;
  const open = state.approvals.filter((a) => !a.outcome).length;
  return open < limits.pendingApprovalsMax ? undefined : `${open} requests are open, at most ${limits.pendingApprovalsMax} may be`;
}

/** Whether a decision came while the present workflow task is started. */
const decidedInBuffer = (state: RunState, approvalId: string): boolean =>
  state.buffered.some((bytes) => readDecision(EventCodec.decode(bytes) as HistoryEvent)?.approvalId === approvalId);

/** In a new list, so that a turn can tell what it began with. */
function end(state: RunState, open: Approval, outcome: ApprovalOutcome): void {
  state.approvals = state.approvals.map((a) => (a === open ? { ...a, outcome } : a));
  noteOver(state, open.approvalId);
}

function noteOver(state: RunState, approvalId: string): void {
  state.approvalsOver = [...state.approvalsOver, approvalId].slice(-OVER_MAX);
}

function openRequest(state: RunState, event: HistoryEvent): void {
  const request = readRequest(event.markerRecordedEventAttributes!);
  if (request === 'unreadable' || 'problem' in request) return;
  const { approvalId, untilMs, what, from, details } = request;
  const early = state.earlyDecisions.find((d) => d.approvalId === approvalId);
  if (early) state.earlyDecisions = state.earlyDecisions.filter((d) => d !== early);
  if (early) noteOver(state, approvalId);
  const approval = {
    approvalId,
    requestedMs: fromTimestamp(event.eventTime),
    untilMs,
    asked: { what, from, details },
    outcome: early?.outcome ?? null,
  };
  state.approvals = [...state.approvals, approval];
}

function giveUpRequest(state: RunState, event: HistoryEvent): void {
  const closed = readClosed(event.markerRecordedEventAttributes!);
  const open = closed && findOpen(state, closed.approvalId);
  if (open) end(state, open, { state: closed.outcome, by: '', reason: '', ms: fromTimestamp(event.eventTime), requestId: '' });
}

/** A marker was recorded: it may open a request or give one up. */
export function noteApprovalMarker(state: RunState, event: HistoryEvent): void {
  const name = event.markerRecordedEventAttributes?.markerName;
  if (name === REQUEST_MARKER) openRequest(state, event);
  else if (name === CLOSED_MARKER) giveUpRequest(state, event);
}

/** A signal came: it may decide a request, also one that is yet to come. */
export function noteDecision(state: RunState, event: HistoryEvent): void {
  const record = readDecision(event);
  if (!record) return;
  const { approvalId, decision, by, reason } = record;
  const requestId = event.workflowExecutionSignaledEventAttributes?.requestId ?? '';
  const outcome: ApprovalOutcome = { state: decision, by, reason, ms: fromTimestamp(event.eventTime), requestId };
  const open = findOpen(state, approvalId);
  if (open) end(state, open, outcome);
  else if (!isKnown(state, approvalId) && state.earlyDecisions.length < EARLY_MAX)
    state.earlyDecisions = [...state.earlyDecisions, { approvalId, outcome }];
}

const isKnown = (state: RunState, approvalId: string): boolean =>
  state.earlyDecisions.some((d) => d.approvalId === approvalId) || state.approvalsOver.includes(approvalId);

/** The run is over: nobody waits for what is still open. */
export function withdrawApprovals(state: RunState, event: HistoryEvent): void {
  const withdrawn: ApprovalOutcome = { state: 'withdrawn', by: '', reason: '', ms: fromTimestamp(event.eventTime), requestId: '' };
  for (const approval of openApprovals(state, 0)) end(state, approval, withdrawn);
  state.earlyDecisions = [];
}

/** What a turn changed, for the commit to write: new requests still have their `asked`. What is over is forgotten, and what was asked is left to the table. */
export function takeApprovalChanges(turn: Turn): Approval[] {
  const { state, approvalsBefore } = turn;
  if (state.approvals === approvalsBefore) return [];
  const before = new Set(approvalsBefore);
  const changed = state.approvals.filter((a) => !before.has(a));
  state.approvals = state.approvals.filter((a) => !a.outcome).map((a) => (a.asked ? { ...a, asked: null } : a));
  return changed;
}
