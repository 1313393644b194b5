/**
 * The approval: a question of the run to a person, open from its marker on until a decision, its time or the run's end.
 * It has no commands and events of its own; markers and signals carry it (docs/decisions/0005-approvals.md).
 */
import { api, enums, fromTimestamp, type HistoryEvent, type temporal, toNumber } from '../api.js';
import { CLOSED_MARKER, type DecisionRecord, DECISION_SIGNAL, decisionInput, readClosed, readDecision, readRequest, REQUEST_MARKER } from '../approval-records.js';
import type { Approval, RunState } from '../run-state.js';
import { TaskFault } from '../task-fault.js';
import type { Turn } from '../turn.js';
import { utf8Length } from '../validate/text-length.js';

type MarkerAttributes = temporal.api.command.v1.IRecordMarkerCommandAttributes;
const CAUSE = enums.WorkflowTaskFailedCause;
const EventCodec = api.history.v1.HistoryEvent;

export const findApproval = (state: RunState, approvalId: string): Approval | undefined =>
  state.approvals.find((a) => a.approvalId === approvalId && !a.closed);

/** Requests that a person can still decide at that moment. */
export const openApprovals = (state: RunState, nowMs: number): Approval[] =>
  state.approvals.filter((a) => !a.closed && !a.outcome && (a.untilMs === 0 || nowMs < a.untilMs));

/** A decision by call: the signal that tells the run, which is what decides the request. */
export const decisionSignal = (record: DecisionRecord, requestId: string): { name: string; input: object; identity: string; requestId: string } => ({
  name: DECISION_SIGNAL,
  input: decisionInput(record),
  identity: record.by,
  requestId,
});

/** Refuses a marker that asks wrongly, and one that ends a request whose decision its worker has not seen. */
export function checkApprovalMarker(turn: Turn, attributes: MarkerAttributes): void {
  if (attributes.markerName === REQUEST_MARKER) {
    const problem = requestProblem(turn, attributes);
    if (problem) throw new TaskFault(CAUSE.WORKFLOW_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES, `Marker ${REQUEST_MARKER}: ${problem}.`);
  } else if (attributes.markerName === CLOSED_MARKER) {
    const closed = readClosed(attributes);
    const approval = closed && findApproval(turn.state, closed.approvalId);
    if (!approval?.outcome || approval.outcome.eventId > 0) return;
    const unseen = bufferedDecisions(turn.state).some((d) => d.record.approvalId === approval.approvalId);
    if (unseen) throw new TaskFault(CAUSE.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, '');
  }
}

function requestProblem({ state, limits }: Turn, attributes: MarkerAttributes): string | undefined {
  const request = readRequest(attributes);
  if (request === 'unreadable') return undefined;
  if ('problem' in request) return request.problem;
  const { approvalId } = request;
  if (utf8Length(approvalId) > limits.idLengthMax) return `approvalId has ${utf8Length(approvalId)} bytes, at most ${limits.idLengthMax} are allowed`;
  if (findApproval(state, approvalId)) return `approvalId ${JSON.stringify(approvalId)} is in use by a request that is not over`;
  const open = state.approvals.filter((a) => !a.closed).length;
  return open < limits.pendingApprovalsMax ? undefined : `${open} requests are open, at most ${limits.pendingApprovalsMax} may be`;
}

/** Decisions that came while a workflow task is started, in their order. */
function bufferedDecisions(state: RunState): { record: DecisionRecord; event: HistoryEvent }[] {
  return state.buffered.flatMap((bytes) => {
    const event = EventCodec.decode(bytes) as HistoryEvent;
    const record = readDecision(event);
    return record ? [{ record, event }] : [];
  });
}

/** Puts a changed request in the place of the old one, in a new list, so that a turn can tell what it began with. */
function replace(state: RunState, old: Approval, approval: Approval): void {
  state.approvals = state.approvals.map((a) => (a === old ? approval : a));
}

function openRequest(state: RunState, event: HistoryEvent): void {
  const request = readRequest(event.markerRecordedEventAttributes!);
  if (request === 'unreadable' || 'problem' in request) return;
  const { approvalId, untilMs, what, from, details } = request;
  const requestedMs = fromTimestamp(event.eventTime);
  const others = state.approvals.filter((a) => a.approvalId !== approvalId); // one of that id can only be over
  state.approvals = [...others, { approvalId, requestedMs, untilMs, asked: { what, from, details }, outcome: null, closed: false }];
  for (const { record, event: signal } of bufferedDecisions(state)) decide(state, record, signal);
}

function decide(state: RunState, record: DecisionRecord, event: HistoryEvent): void {
  const approval = findApproval(state, record.approvalId);
  if (!approval || approval.outcome) return;
  const { decision, by, reason } = record;
  const requestId = event.workflowExecutionSignaledEventAttributes?.requestId ?? '';
  replace(state, approval, { ...approval, outcome: { state: decision, by, reason, ms: fromTimestamp(event.eventTime), requestId, eventId: toNumber(event.eventId) } });
}

function closeRequest(state: RunState, event: HistoryEvent): void {
  const closed = readClosed(event.markerRecordedEventAttributes!);
  const approval = closed && findApproval(state, closed.approvalId);
  if (!approval) return;
  const ms = fromTimestamp(event.eventTime);
  const { outcome, by, reason } = closed;
  replace(state, approval, { ...approval, closed: true, outcome: approval.outcome ?? { state: outcome, by, reason, ms, requestId: '', eventId: toNumber(event.eventId) } });
}

/** A marker was recorded: it may open a request or end one. */
export function noteApprovalMarker(state: RunState, event: HistoryEvent): void {
  const name = event.markerRecordedEventAttributes?.markerName;
  if (name === REQUEST_MARKER) openRequest(state, event);
  else if (name === CLOSED_MARKER) closeRequest(state, event);
}

/** A signal came: it may decide a request. */
export function noteDecision(state: RunState, event: HistoryEvent): void {
  if (state.approvals.length === 0) return;
  const record = readDecision(event);
  if (record) decide(state, record, event);
}

/** The run is over: nobody waits for what is still open. */
export function withdrawApprovals(state: RunState, event: HistoryEvent): void {
  const withdrawn = { state: 'withdrawn', by: '', reason: '', ms: fromTimestamp(event.eventTime), requestId: '', eventId: toNumber(event.eventId) } as const;
  state.approvals = state.approvals.length === 0 ? state.approvals : state.approvals.map((a) => ({ ...a, closed: true, outcome: a.outcome ?? withdrawn }));
}

/** What a turn changed, for the commit to write: new requests still have their `asked`. What is over is forgotten, and what was asked is left to the table. */
export function takeApprovalChanges(turn: Turn): Approval[] {
  const { state, approvalsBefore } = turn;
  if (state.approvals === approvalsBefore) return [];
  const before = new Set(approvalsBefore);
  const changed = state.approvals.filter((a) => !before.has(a));
  state.approvals = state.approvals.filter((a) => !a.closed).map((a) => (a.asked ? { ...a, asked: null } : a));
  return changed;
}
