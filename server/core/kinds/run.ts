/** The run itself: how it starts, and the six ways in which it ends. */
import {
  api,
  enums,
  type Failure,
  fromDuration,
  fromTimestamp,
  type HistoryEvent,
  int64,
  type Payloads,
  type temporal,
  toNumber,
} from '../api.js';
import { blankState, type RunIdentity } from '../blank-state.js';
import { dictionary } from '../dictionary.js';
import { completeRetryPolicy } from '../retry-policy.js';
import type { ResetPoint, RunState } from '../run-state.js';
import { Turn, type TurnContext } from '../turn.js';
import { withdrawApprovals } from './approval.js';
import { attachCallbacks } from './callback.js';
import { forgetUpdates } from './update.js';
import { isStarted, scheduleWorkflowTask } from './workflow-task.js';
import { failWorkflowTask } from './workflow-task-end.js';

type StartedAttributes = temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes;
const T = enums.EventType;
const STATUS = enums.WorkflowExecutionStatus;
const MemoCodec = api.common.v1.Memo;
const SearchAttributesCodec = api.common.v1.SearchAttributes;
const EventCodec = api.history.v1.HistoryEvent;

/** Open: running, or paused. */
export const isRunning = ({ status }: RunState): boolean => isOpenStatus(status);

export const isOpenStatus = (status: number): boolean =>
  status === STATUS.WORKFLOW_EXECUTION_STATUS_RUNNING || status === STATUS.WORKFLOW_EXECUTION_STATUS_PAUSED;

export interface NewRun extends RunIdentity {
  attributes: StartedAttributes;
  userMetadata?: temporal.api.sdk.v1.IUserMetadata | null;
  links?: temporal.api.common.v1.ILink[] | null;
}

/** Begins a run: its Started event and, unless it has to wait, its first workflow task. */
export function beginRun(run: NewRun, context: TurnContext): Turn {
  const turn = new Turn(blankState(run), context, true);
  turn.append({
    eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
    workflowExecutionStartedEventAttributes: run.attributes,
    userMetadata: run.userMetadata,
    links: run.links,
  });
  return turn;
}

/** The first workflow task of a run that has just begun, unless its backoff is not over. */
export function scheduleFirstTask(turn: Turn): void {
  if (!turn.state.firstTaskAtMs) scheduleWorkflowTask(turn);
}

/** How a run is closed by a command of its workflow task. */
export interface Completion {
  completedEventId: number;
  /** The run that follows. */
  newRunId?: string | undefined;
}

export function completeRun(turn: Turn, result: Payloads | null | undefined, { completedEventId, newRunId }: Completion): HistoryEvent {
  return turn.append({
    eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    workflowExecutionCompletedEventAttributes: {
      result,
      workflowTaskCompletedEventId: int64(completedEventId),
      newExecutionRunId: newRunId,
    },
  });
}

export function failRun(
  turn: Turn,
  failure: Failure | null | undefined,
  retryState: number,
  { completedEventId, newRunId }: Completion,
): HistoryEvent {
  return turn.append({
    eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    workflowExecutionFailedEventAttributes: {
      failure,
      retryState,
      workflowTaskCompletedEventId: int64(completedEventId),
      newExecutionRunId: newRunId,
    },
  });
}

export function cancelRun(turn: Turn, details: Payloads | null | undefined, { completedEventId }: Completion): HistoryEvent {
  return turn.append({
    eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
    workflowExecutionCanceledEventAttributes: { details, workflowTaskCompletedEventId: int64(completedEventId) },
  });
}

export interface Termination {
  reason: string;
  details?: Payloads | null;
  identity: string;
  links?: temporal.api.common.v1.ILink[] | null;
}

/** Ends the run at once. A started workflow task fails first, and what waited in the buffer is kept. */
export function terminateRun(turn: Turn, { reason, details, identity, links }: Termination): HistoryEvent {
  if (isStarted(turn.state)) {
    failWorkflowTask(turn, {
      cause: enums.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
      identity: 'history-service',
    });
    turn.endBatch();
  }
  turn.flushBuffered();
  forgetUpdates(turn);
  return turn.append({
    eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
    workflowExecutionTerminatedEventAttributes: { reason, details, identity },
    links,
  });
}

/** When the run must be timed out; 0 = never. The execution timeout is part of it. */
export function runDeadline(state: RunState): number {
  return state.info.runExpirationMs;
}

export function timeOutRun(turn: Turn, retryState: number, newRunId?: string): HistoryEvent {
  if (isStarted(turn.state)) {
    failWorkflowTask(turn, {
      cause: enums.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
      identity: 'history-service',
    });
    turn.endBatch();
  }
  turn.flushBuffered();
  forgetUpdates(turn);
  return turn.append({
    eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    workflowExecutionTimedOutEventAttributes: { retryState, newExecutionRunId: newRunId },
  });
}

function closed(
  status: number,
  newRunId?: (event: HistoryEvent) => string | null | undefined,
): (state: RunState, event: HistoryEvent) => void {
  return (state, event) => {
    state.pause = null;
    state.status = status;
    state.newRunId = newRunId?.(event) ?? '';
    state.closeMs = fromTimestamp(event.eventTime);
    state.closeEventId = toNumber(event.eventId);
    state.workflowTask = null;
    state.sticky = null;
    state.firstTaskAtMs = 0;
    // activities that were pending stay, as what describes the run shows them
    state.timers = dictionary();
    state.externalSignals = {};
    state.externalCancels = {};
    state.buffered = [];
    state.bufferedBytes = 0;
    withdrawApprovals(state, event);
  };
}

export const runEvents = {
  [T.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED](state: RunState, event: HistoryEvent): void {
    const attributes = event.workflowExecutionStartedEventAttributes!;
    const { info } = state;
    const atMs = fromTimestamp(event.eventTime);
    const backoffMs = fromDuration(attributes.firstWorkflowTaskBackoff);
    info.firstRunId = attributes.firstExecutionRunId || info.runId;
    info.originalRunId = attributes.originalExecutionRunId || info.runId;
    info.continuedRunId = attributes.continuedExecutionRunId ?? '';
    info.workflowType = attributes.workflowType?.name ?? '';
    info.taskQueue = attributes.taskQueue?.name ?? '';
    info.startMs = atMs;
    info.originalStartMs = atMs;
    info.executionMs = atMs + backoffMs;
    info.attempt = attributes.attempt ?? 1;
    info.cron = attributes.cronSchedule ?? '';
    info.retry = attributes.retryPolicy ? completeRetryPolicy(attributes.retryPolicy) : null;
    info.executionTimeoutMs = fromDuration(attributes.workflowExecutionTimeout);
    info.runTimeoutMs = fromDuration(attributes.workflowRunTimeout);
    info.namesRunTimeout = Boolean(attributes.workflowRunTimeout);
    info.workflowTaskTimeoutMs = fromDuration(attributes.workflowTaskTimeout);
    info.executionExpirationMs = fromTimestamp(attributes.workflowExecutionExpirationTime);
    info.runExpirationMs = expirationMs(atMs + backoffMs, info.runTimeoutMs, info.executionExpirationMs);
    info.startIdentity = attributes.identity ?? '';
    info.priority = attributes.priority ? api.common.v1.Priority.encode(attributes.priority).finish() : null;
    info.userMetadata = event.userMetadata ? api.sdk.v1.UserMetadata.encode(event.userMetadata).finish() : null;
    info.links = (event.links ?? []).map((link) => api.common.v1.Link.encode(link).finish());
    info.rootWorkflowId = attributes.rootWorkflowExecution?.workflowId || info.workflowId;
    info.rootRunId = attributes.rootWorkflowExecution?.runId || info.runId;
    if (attributes.parentWorkflowExecution) {
      info.parent = {
        namespaceId: attributes.parentWorkflowNamespaceId ?? '',
        namespace: attributes.parentWorkflowNamespace ?? '',
        workflowId: attributes.parentWorkflowExecution.workflowId ?? '',
        runId: attributes.parentWorkflowExecution.runId ?? '',
        initiatedEventId: toNumber(attributes.parentInitiatedEventId),
      };
    }
    state.versioningOverride = attributes.versioningOverride
      ? api.workflow.v1.VersioningOverride.encode(attributes.versioningOverride).finish()
      : null;
    state.resetPoints = (attributes.prevAutoResetPoints?.points ?? []).map(resetPointOf);
    state.memo = attributes.memo ? MemoCodec.encode(attributes.memo).finish() : null;
    state.searchAttributes = attributes.searchAttributes ? SearchAttributesCodec.encode(attributes.searchAttributes).finish() : null;
    attachCallbacks(state, attributes.completionCallbacks, atMs, info.createRequestId);
    if (info.createRequestId) state.requestIds[info.createRequestId] = { eventId: 1, eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED };
    if (backoffMs > 0) state.firstTaskAtMs = info.executionMs;
  },
  [T.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED]: closed(
    STATUS.WORKFLOW_EXECUTION_STATUS_COMPLETED,
    (event) => event.workflowExecutionCompletedEventAttributes!.newExecutionRunId,
  ),
  [T.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED]: closed(
    STATUS.WORKFLOW_EXECUTION_STATUS_FAILED,
    (event) => event.workflowExecutionFailedEventAttributes!.newExecutionRunId,
  ),
  [T.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED]: closed(STATUS.WORKFLOW_EXECUTION_STATUS_CANCELED),
  [T.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED]: closed(STATUS.WORKFLOW_EXECUTION_STATUS_TERMINATED),
  [T.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT]: closed(
    STATUS.WORKFLOW_EXECUTION_STATUS_TIMED_OUT,
    (event) => event.workflowExecutionTimedOutEventAttributes!.newExecutionRunId,
  ),
  [T.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW]: closed(
    STATUS.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW,
    (event) => event.workflowExecutionContinuedAsNewEventAttributes!.newExecutionRunId,
  ),
};

const resetPointOf = (point: temporal.api.workflow.v1.IResetPointInfo): ResetPoint => ({
  buildId: point.buildId ?? '',
  binaryChecksum: point.binaryChecksum ?? '',
  runId: point.runId ?? '',
  firstWorkflowTaskCompletedId: toNumber(point.firstWorkflowTaskCompletedId),
  createMs: fromTimestamp(point.createTime),
  expireMs: fromTimestamp(point.expireTime),
  resettable: point.resettable ?? false,
});

function expirationMs(fromMs: number, runTimeoutMs: number, executionExpirationMs: number): number {
  const byRun = runTimeoutMs > 0 ? fromMs + runTimeoutMs : 0;
  if (!executionExpirationMs) return byRun;
  return byRun ? Math.min(byRun, executionExpirationMs) : executionExpirationMs;
}

/** The close event, encoded as the parent and the waiting callers get it. */
export const encodeEvent = (event: HistoryEvent): Uint8Array => EventCodec.encode(event).finish();
