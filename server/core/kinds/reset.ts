/**
 * The reset: a new run that has the history of another up to a workflow task, fails that task, takes over what came after it from outside
 * (signals, updates, news of children), and is asked again. The run that was open ends with it.
 */
import { enums, type HistoryEvent, int64, type temporal, toNumber } from '../api.js';
import { invalidArgument } from '../errors.js';
import { resetFailure } from '../failure.js';
import type { RunState } from '../run-state.js';
import { Turn, type TurnContext } from '../turn.js';
import { queueAttempt } from './activity.js';
import { askForStart } from './child-run.js';
import { sendCancel, sendSignal } from './external.js';
import { isStarted, scheduleWorkflowTask, startWorkflowTask } from './workflow-task.js';
import { failWorkflowTask } from './workflow-task-end.js';

const T = enums.EventType;
const CAUSE = enums.WorkflowTaskFailedCause;
const EXCLUDE = enums.ResetReapplyExcludeType;

/** The name under which the server ends a run that is reset. */
export const RESETTER = 'history-resetter';
const IDENTITY = 'history-service';

export interface Reset {
  reason: string;
  /** The run whose history is taken over. */
  baseRunId: string;
  requestId: string;
  /** What of the events after the reset point is not taken over. */
  excluded: ReadonlySet<number>;
  /** Events that initiated signals and cancel requests to other runs whose answers are still out, by event id. */
  underWay: ReadonlyMap<number, HistoryEvent>;
}

type Request = temporal.api.workflowservice.v1.IResetWorkflowExecutionRequest;

/** What a request does not want to be taken over; its older field says what it does want. */
export function excludedBy({ resetReapplyExcludeTypes, resetReapplyType }: Request): Set<number> {
  const excluded = new Set<number>(resetReapplyExcludeTypes ?? []);
  const type = enums.ResetReapplyType;
  if (resetReapplyType === type.RESET_REAPPLY_TYPE_NONE) excluded.add(EXCLUDE.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL);
  if (resetReapplyType === type.RESET_REAPPLY_TYPE_NONE || resetReapplyType === type.RESET_REAPPLY_TYPE_SIGNAL) {
    excluded.add(EXCLUDE.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE);
  }
  return excluded;
}

/** Why a run cannot be reset to the event that follows those that its state was folded from. */
export const notResettable = (eventId: number): Error =>
  invalidArgument(`Can only reset workflow to event ID in range [WorkflowTaskScheduled +1, WorkflowTaskStarted + 1]: ${eventId}`);

/**
 * Begins the new run on the state that the kept part of the history yields; its workflow task fails and nothing is scheduled yet.
 * Throws INVALID_ARGUMENT when no workflow task is pending there.
 */
export function beginReset(state: RunState, reset: Reset, context: TurnContext): Turn {
  if (!state.workflowTask) throw notResettable(state.nextEventId);
  state.info.resetRequestId = reset.requestId;
  const turn = new Turn(state, context, true);
  if (!isStarted(state)) startWorkflowTask(turn, { identity: IDENTITY, requestId: context.newId() });
  failWorkflowTask(turn, {
    cause: CAUSE.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
    failure: resetFailure(reset.reason),
    identity: IDENTITY,
    baseRunId: reset.baseRunId,
    newRunId: state.info.runId,
  });
  return turn;
}

/** Sets in motion again what the new run waits for, and asks its worker. */
export function resume(turn: Turn, { underWay }: Reset): void {
  const { state } = turn;
  for (const activity of Object.values(state.activities)) queueAttempt(turn, activity, turn.nowMs);
  for (const child of Object.values(state.children)) if (!child.runId) askForStart(turn, child.initiatedEventId);
  for (const id of Object.keys(state.externalSignals).map(Number)) {
    sendSignal(turn, id, underWay.get(id)!.signalExternalWorkflowExecutionInitiatedEventAttributes!);
  }
  for (const id of Object.keys(state.externalCancels).map(Number)) {
    sendCancel(turn, id, underWay.get(id)!.requestCancelExternalWorkflowExecutionInitiatedEventAttributes!);
  }
  scheduleWorkflowTask(turn);
}

/** Takes over an event that came after the reset point, if it is of a kind that the world outside would miss. */
export function reapply(turn: Turn, event: HistoryEvent, { excluded }: Reset): void {
  const { state } = turn;
  switch (event.eventType) {
    case T.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
      if (!excluded.has(EXCLUDE.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL)) reapplySignal(turn, event);
      return;
    case T.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED:
      reapplyUpdate(turn, event.workflowExecutionUpdateAdmittedEventAttributes!.request, excluded);
      return;
    case T.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
      // without its request, it was admitted by an event of its own
      reapplyUpdate(turn, event.workflowExecutionUpdateAcceptedEventAttributes!.acceptedRequest, excluded);
      return;
    case T.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: {
      const attributes = event.workflowExecutionOptionsUpdatedEventAttributes!;
      if (attributes.attachedRequestId && state.requestIds[attributes.attachedRequestId]) return;
      append(turn, event, { workflowExecutionOptionsUpdatedEventAttributes: attributes });
      return;
    }
    default:
      reapplyNewsOfChild(turn, event);
  }
}

/** The same event again, with a number and a time of its own. */
function append(turn: Turn, { eventType, links, workerMayIgnore }: HistoryEvent, attributes: HistoryEvent): void {
  turn.append({ eventType, links, workerMayIgnore, ...attributes });
}

function reapplySignal(turn: Turn, event: HistoryEvent): void {
  const { signalName, input, identity, header, requestId } = event.workflowExecutionSignaledEventAttributes!;
  append(turn, event, { workflowExecutionSignaledEventAttributes: { signalName, input, identity, header, requestId } });
  if (requestId && !turn.requestIds.includes(requestId)) turn.requestIds.push(requestId);
}

function reapplyUpdate(turn: Turn, request: temporal.api.update.v1.IRequest | null | undefined, excluded: ReadonlySet<number>): void {
  if (!request || excluded.has(EXCLUDE.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE)) return;
  turn.append({
    eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED,
    workflowExecutionUpdateAdmittedEventAttributes: {
      request,
      origin: enums.UpdateAdmittedEventOrigin.UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY,
    },
  });
}

/** News of children that were initiated before the reset point: their ids are the same in both histories. */
function reapplyNewsOfChild(turn: Turn, event: HistoryEvent): void {
  const attributes =
    event.startChildWorkflowExecutionFailedEventAttributes ??
    event.childWorkflowExecutionStartedEventAttributes ??
    event.childWorkflowExecutionCompletedEventAttributes ??
    event.childWorkflowExecutionFailedEventAttributes ??
    event.childWorkflowExecutionCanceledEventAttributes ??
    event.childWorkflowExecutionTimedOutEventAttributes ??
    event.childWorkflowExecutionTerminatedEventAttributes;
  const child = attributes && turn.state.children[toNumber(attributes.initiatedEventId)];
  if (!child) return;
  if (event.eventType === T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED && child.runId) return;
  const name = (Object.keys(event) as (keyof HistoryEvent)[]).find((key) => event[key] === attributes)!;
  const started = 'startedEventId' in attributes ? { startedEventId: int64(child.startedEventId) } : {};
  append(turn, event, { [name]: { ...attributes, ...started } });
}
