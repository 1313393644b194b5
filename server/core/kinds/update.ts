/**
 * The update: a request to a run that its worker accepts or rejects, and whose outcome the caller waits for. One that was admitted lives in
 * the state alone and rides on a workflow task as a message; acceptance and completion are events; a rejected one leaves no trace.
 */
import { api, enums, type Failure, type HistoryEvent, int64, type temporal, toNumber } from '../api.js';
import type { UpdateProgress } from '../effect.js';
import type { AcceptedUpdate, AdmittedUpdate, RunState } from '../run-state.js';
import type { Turn } from '../turn.js';
import { tooLargeInFlight, tooManyInFlight, tooManyUpdates, unprocessedFailure } from '../update-answers.js';
import { scheduleWorkflowTask } from './workflow-task.js';

type Request = temporal.api.update.v1.IRequest;
const T = enums.EventType;
const RequestCodec = api.update.v1.Request;
const FailureCodec = api.failure.v1.Failure;

/** Refused updates are remembered for callers at other nodes for so long, and no more of them than this. */
const REFUSED_KEPT_MS = 60_000;
const REFUSED_KEPT_MAX = 20;

/** Where an update is, as far as the run's state tells. */
export type KnownUpdate =
  | ({ stage: 'admitted' } & AdmittedUpdate)
  | ({ stage: 'accepted' } & AcceptedUpdate)
  | { stage: 'completed'; updateId: string; completedEventId: number };

export function findUpdate(state: RunState, updateId: string): KnownUpdate | undefined {
  const accepted = state.updatesAccepted.find((u) => u.updateId === updateId);
  if (accepted) return { stage: 'accepted', ...accepted };
  const completed = state.updatesCompleted.find(([id]) => id === updateId);
  if (completed) return { stage: 'completed', updateId, completedEventId: completed[1] };
  const admitted = state.updatesAdmitted.find((u) => u.updateId === updateId);
  return admitted && { stage: 'admitted', ...admitted };
}

/** Takes in a new update, whose id the caller has looked for in vain; a run without a workflow task gets one that is not written. */
export function admitUpdate(turn: Turn, request: Request): AdmittedUpdate {
  const { state, limits } = turn;
  const encoded = RequestCodec.encode(request).finish();
  const inFlight = state.updatesAdmitted.length + state.updatesAccepted.length;
  if (inFlight >= limits.updatesInFlightMax) throw tooManyInFlight(limits.updatesInFlightMax);
  requireRoom(turn);
  const waiting = state.updatesAdmitted.reduce((sum, u) => sum + (u.request?.length ?? 0), 0);
  if (waiting + encoded.length >= limits.updatesInFlightSizeMax) throw tooLargeInFlight(limits.updatesInFlightSizeMax);
  const update = admit(turn, request.meta?.updateId ?? '', encoded);
  if (!state.workflowTask) scheduleWorkflowTask(turn, { kind: 'speculative' });
  return update;
}

function requireRoom({ state, limits }: Turn): void {
  const all = state.updatesAdmitted.length + state.updatesAccepted.length + state.updatesCompleted.length;
  if (all >= limits.updatesTotalMax) throw tooManyUpdates(limits.updatesTotalMax);
}

function admit(turn: Turn, updateId: string, request: Uint8Array): AdmittedUpdate {
  const { state } = turn;
  const update = { updateId, request, admittedMs: turn.nowMs, admission: state.transitions, sentWith: 0 };
  state.updatesAdmitted.push(update);
  turn.touched = true;
  return update;
}

/** A worker answers an update that this server does not know (any more): its message carries the request, so it can be known again. */
export function readmitUpdate(turn: Turn, updateId: string, request: Request): AdmittedUpdate {
  requireRoom(turn);
  return admit(turn, updateId, RequestCodec.encode(request).finish());
}

const tell = (turn: Turn, updateId: string, progress: UpdateProgress): void => turn.effect({ type: 'update', updateId, progress });

export function acceptUpdate(turn: Turn, update: AdmittedUpdate, acceptance: temporal.api.update.v1.IAcceptance): void {
  const request = update.request ? RequestCodec.decode(update.request) : undefined;
  const links = (request?.completionCallbacks ?? []).filter((c) => c.nexus).flatMap((c) => c.links ?? []);
  turn.append({
    eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    workflowExecutionUpdateAcceptedEventAttributes: {
      protocolInstanceId: update.updateId,
      acceptedRequestMessageId: requestMessageId(update.updateId),
      acceptedRequestSequencingEventId: acceptance.acceptedRequestSequencingEventId,
      acceptedRequest: request,
    },
    links: links.length > 0 ? links : undefined,
  });
  tell(turn, update.updateId, { stage: 'accepted' });
}

/** The id of the message that carries an update's request. */
export const requestMessageId = (updateId: string): string => `${updateId}/request`;

export function completeUpdate(turn: Turn, update: AcceptedUpdate, response: temporal.api.update.v1.IResponse): void {
  turn.append({
    eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
    workflowExecutionUpdateCompletedEventAttributes: {
      meta: response.meta,
      acceptedEventId: int64(update.acceptedEventId),
      outcome: response.outcome,
    },
  });
  tell(turn, update.updateId, { stage: 'completed', outcome: response.outcome ?? {} });
}

export function rejectUpdate(turn: Turn, update: AdmittedUpdate, failure: Failure | null | undefined): void {
  refuse(turn, update, failure ? FailureCodec.encode(failure).finish() : new Uint8Array());
  tell(turn, update.updateId, { stage: 'rejected', admission: update.admission, failure });
}

/** Rejects what the completed task carried and its worker said nothing about. */
export function rejectUnprocessed(turn: Turn): void {
  for (const update of turn.state.updatesAdmitted.filter((u) => u.sentWith > 0)) rejectUpdate(turn, update, unprocessedFailure());
}

/** The task's answer was no good: what it carried is given up, so that the same mistake is not made again and again. */
export function dropSent(turn: Turn): void {
  for (const update of turn.state.updatesAdmitted.filter((u) => u.sentWith > 0)) {
    refuse(turn, update, null);
    tell(turn, update.updateId, { stage: 'dropped', admission: update.admission });
  }
}

function refuse(turn: Turn, update: AdmittedUpdate, failure: Uint8Array | null): void {
  const { state } = turn;
  state.updatesAdmitted = state.updatesAdmitted.filter((u) => u.updateId !== update.updateId);
  state.updatesRefused = state.updatesRefused.filter((r) => r.atMs > turn.nowMs - REFUSED_KEPT_MS).slice(1 - REFUSED_KEPT_MAX);
  if (turn.context.otherNodes)
    state.updatesRefused.push({ updateId: update.updateId, admission: update.admission, atMs: turn.nowMs, failure });
  turn.touched = true;
}

/** The run has ended: updates that nobody accepted end with it. */
export function forgetUpdates(turn: Turn): void {
  turn.state.updatesAdmitted = [];
}

export const updateEvents = {
  /** Written when a reset takes over an update of the run that it is based on. */
  [T.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED](state: RunState, event: HistoryEvent): void {
    const { request } = event.workflowExecutionUpdateAdmittedEventAttributes!;
    const updateId = request?.meta?.updateId ?? '';
    state.updatesAdmitted.push({ updateId, request: null, admittedMs: 0, admission: state.transitions, sentWith: 0 });
  },
  [T.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED](state: RunState, event: HistoryEvent): void {
    const { protocolInstanceId, acceptedRequest } = event.workflowExecutionUpdateAcceptedEventAttributes!;
    const updateId = protocolInstanceId ?? '';
    const acceptedEventId = toNumber(event.eventId);
    state.updatesAdmitted = state.updatesAdmitted.filter((u) => u.updateId !== updateId);
    state.updatesAccepted.push({ updateId, acceptedEventId });
    if (acceptedRequest?.requestId) {
      state.requestIds[acceptedRequest.requestId] = {
        eventId: acceptedEventId,
        eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
      };
    }
  },
  [T.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED](state: RunState, event: HistoryEvent): void {
    const { meta, acceptedEventId } = event.workflowExecutionUpdateCompletedEventAttributes!;
    const accepted = state.updatesAccepted.find((u) => u.acceptedEventId === toNumber(acceptedEventId));
    state.updatesAccepted = state.updatesAccepted.filter((u) => u !== accepted);
    state.updatesCompleted.push([accepted?.updateId ?? meta?.updateId ?? '', toNumber(event.eventId)]);
  },
};
