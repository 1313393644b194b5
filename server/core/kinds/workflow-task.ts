/**
 * The workflow task: the unit of work a worker gets to move a run forward. Scheduled, started, completed, failed or timed out;
 * sticky or on the normal queue; and its two unwritten forms. A *transient* task is a later attempt after a failure: its events
 * are written only when it completes. A *speculative* one carries only updates, and leaves no trace if all of them are rejected.
 */
import {
  api,
  enums,
  fromDuration,
  fromTimestamp,
  type HistoryEvent,
  int64,
  type temporal,
  toDuration,
  toNumber,
  toTimestamp,
} from '../api.js';
import type { Limits } from '../limits.js';
import type { RunState, WorkflowTask } from '../run-state.js';
import type { Turn } from '../turn.js';
import { deploymentOf, markCompletion } from './completion-marks.js';
import { countFailure, failedBecause, taskGotThrough, timedOutBecause } from './task-problem.js';
import { applyReset } from './reset-clock.js';

type TaskQueue = temporal.api.taskqueue.v1.ITaskQueue;
export type WorkerVersion = temporal.api.common.v1.IWorkerVersionStamp;
const VersionCodec = api.common.v1.WorkerVersionStamp;
const T = enums.EventType;
const CAUSE = enums.WorkflowTaskFailedCause;
const REASON = enums.SuggestContinueAsNewReason;

/** What later attempts of a failing task get on top of its timeout: doubling from the first, at most the second, less up to a fifth. */
const RETRY_INITIAL_MS = 5_000;
const RETRY_MAX_MS = 10 * 60_000;
const RETRY_SPREAD = 0.2;

/** The queue that the next workflow task goes to, as events name it. */
export function currentTaskQueue(state: RunState): TaskQueue {
  return state.sticky
    ? { name: state.sticky.queue, kind: enums.TaskQueueKind.TASK_QUEUE_KIND_STICKY, normalName: state.info.taskQueue }
    : { name: state.info.taskQueue, kind: enums.TaskQueueKind.TASK_QUEUE_KIND_NORMAL };
}

/** A worker that tried to close the run has the next task, and most likely tries again: what would only come in between again has to wait. */
export const isClosing = (state: RunState): boolean => state.closeAttempted && isStarted(state);

export const isPaused = ({ status }: RunState): boolean => status === enums.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_PAUSED;

export const isStarted = (state: RunState): boolean => (state.workflowTask?.startedEventId ?? 0) > 0;

export interface ScheduleOptions {
  kind?: 'normal' | 'speculative';
  /** Since when the present series of heartbeats runs (forced new tasks without progress). */
  originalScheduledMs?: number;
}

/** Schedules a workflow task; nothing if one is pending, or the run is paused. Buffered events are flushed first. */
export function scheduleWorkflowTask(turn: Turn, options: ScheduleOptions = {}): void {
  const { state } = turn;
  if (state.workflowTask) return;
  if (isPaused(state)) {
    if (turn.flushBuffered()) state.workflowTaskAttempt = 1;
    return;
  }
  let kind = options.kind ?? 'normal';
  if (turn.flushBuffered()) {
    state.workflowTaskAttempt = 1;
    kind = 'normal';
  }
  const attempt = state.workflowTaskAttempt;
  const written = kind === 'normal' && attempt === 1;
  const startToCloseMs = retriedTimeoutMs(state, attempt, turn.limits);
  const originalScheduledMs = options.originalScheduledMs ?? turn.nowMs;
  if (written) turn.append(scheduledEvent(state, startToCloseMs, attempt, turn.nowMs));
  const task: WorkflowTask = {
    ...blankTask(state, startToCloseMs, attempt, turn.nowMs),
    kind,
    written,
    scheduledEventId: written ? state.nextEventId - 1 : state.nextEventId,
    originalScheduledMs,
    scheduleToStartMs: scheduleToStartMs(turn, kind),
  };
  state.workflowTask = task;
  turn.touched = true;
  turn.effect({ type: 'workflow-task-ready' });
}

function scheduleToStartMs(turn: Turn, kind: 'normal' | 'speculative'): number {
  if (turn.state.sticky) return turn.state.sticky.scheduleToStartMs;
  return kind === 'speculative' ? turn.limits.speculativeScheduleToStartTimeoutMs : 0;
}

/** Later attempts get more time, so that a worker that is too slow gets through in the end; how much is spread, so that failing runs do not march in step. */
function retriedTimeoutMs({ info }: RunState, attempt: number, limits: Limits): number {
  const over = attempt - limits.workflowTaskRetryBackoffFrom + 1;
  if (over <= 0) return info.workflowTaskTimeoutMs;
  const extraMs = Math.min(RETRY_INITIAL_MS * 2 ** (over - 1), RETRY_MAX_MS);
  return info.workflowTaskTimeoutMs + extraMs * (1 - RETRY_SPREAD * spreadOf(`${info.runId}/${attempt}`));
}

/** A number from 0 up to 1 that a text always gives (FNV-1a). */
function spreadOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0) / 2 ** 32;
}

function blankTask(state: RunState, startToCloseMs: number, attempt: number, nowMs: number): WorkflowTask {
  return {
    kind: 'normal',
    written: true,
    scheduledEventId: 0,
    startedEventId: 0,
    attempt,
    queue: state.sticky?.queue ?? state.info.taskQueue,
    sticky: state.sticky !== null,
    scheduledMs: nowMs,
    originalScheduledMs: nowMs,
    startedMs: 0,
    startToCloseMs,
    scheduleToStartMs: 0,
    requestId: '',
    identity: '',
    historySizeBytes: 0,
    suggestReasons: [],
    workerVersion: null,
  };
}

function scheduledEvent(state: RunState, startToCloseMs: number, attempt: number, atMs: number): HistoryEvent {
  return {
    eventType: T.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    eventTime: toTimestamp(atMs),
    workflowTaskScheduledEventAttributes: { taskQueue: currentTaskQueue(state), startToCloseTimeout: toDuration(startToCloseMs), attempt },
  };
}

function startedEvent(task: WorkflowTask, identity: string): HistoryEvent {
  return {
    eventType: T.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    eventTime: toTimestamp(task.startedMs),
    workflowTaskStartedEventAttributes: {
      scheduledEventId: int64(task.scheduledEventId),
      identity,
      requestId: task.requestId,
      historySizeBytes: int64(task.historySizeBytes),
      suggestContinueAsNew: task.suggestReasons.length > 0,
      suggestContinueAsNewReasons: task.suggestReasons,
      workerVersion: task.workerVersion ? VersionCodec.decode(task.workerVersion) : undefined,
    },
  };
}

export interface StartOptions {
  identity: string;
  requestId: string;
  /** It goes to the worker whose call made it, in the same transition: there was no moment in which it only waited. */
  inline?: boolean;
  /** What the worker says of its build. */
  workerVersion?: WorkerVersion | null | undefined;
  /** It goes on with a worker that is still busy with the task before: updates that it has are not sent again. */
  heartbeat?: boolean;
}

/** The pending task is handed to a worker. */
export function startWorkflowTask(turn: Turn, { identity, requestId, inline = false, heartbeat, workerVersion }: StartOptions): void {
  const { state } = turn;
  const task = state.workflowTask;
  if (!task || task.startedEventId) throw new Error('no workflow task to start');
  task.historySizeBytes = inline ? turn.historyBytesBefore : state.historyBytes;
  task.suggestReasons = suggestReasons(turn);
  const overtaken = !task.written && task.scheduledEventId !== state.nextEventId;
  if (overtaken) {
    // events came since: the unwritten task becomes an ordinary one
    task.attempt = 1;
    state.workflowTaskAttempt = 1;
    task.kind = 'normal';
    task.written = true;
    turn.append(scheduledEvent(state, task.startToCloseMs, 1, turn.nowMs));
    task.scheduledEventId = state.nextEventId - 1;
  }
  task.startedMs = turn.nowMs;
  task.requestId = requestId;
  task.identity = identity;
  task.workerVersion = workerVersion ? VersionCodec.encode(workerVersion).finish() : null;
  if (task.written) {
    if (!inline && !overtaken) turn.endBatch();
    turn.append(startedEvent(task, identity));
    turn.endBatch();
    task.startedEventId = state.nextEventId - 1;
  } else {
    task.startedEventId = task.scheduledEventId + 1;
  }
  for (const update of state.updatesAdmitted) if (!heartbeat || !update.sentWith) update.sentWith = task.startedEventId;
  turn.touched = true;
}

function suggestReasons(turn: Turn): number[] {
  const { state, limits } = turn;
  const reasons: number[] = [];
  if (state.historyBytes >= limits.historySizeSuggest) reasons.push(REASON.SUGGEST_CONTINUE_AS_NEW_REASON_HISTORY_SIZE_TOO_LARGE);
  if (state.nextEventId >= limits.historyEventsSuggest) reasons.push(REASON.SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_HISTORY_EVENTS);
  const updates = state.updatesCompleted.length + state.updatesAccepted.length + state.updatesAdmitted.length;
  if (updates >= Math.ceil(limits.updatesTotalMax * limits.updateSuggestRatio))
    reasons.push(REASON.SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_UPDATES);
  return reasons;
}

/** Writes the Scheduled and (if it was started) Started events of a task that had none. */
export function writeUnwritten(turn: Turn, identity: string): void {
  const { state } = turn;
  const task = state.workflowTask;
  if (!task || task.written) return;
  turn.append(scheduledEvent(state, task.startToCloseMs, task.attempt, task.scheduledMs));
  task.scheduledEventId = state.nextEventId - 1;
  if (task.startedEventId) {
    turn.append(startedEvent(task, identity));
    turn.endBatch();
    task.startedEventId = state.nextEventId - 1;
  }
  task.written = true;
}

/** The events of an unwritten task as a worker and a reader see them, though the history has them not yet; none when other events have overtaken it. */
export function unwrittenEvents(state: RunState): HistoryEvent[] {
  const task = state.workflowTask;
  if (!task || task.written || task.scheduledEventId !== state.nextEventId) return [];
  const scheduled = {
    ...scheduledEvent(state, task.startToCloseMs, task.attempt, task.scheduledMs),
    eventId: int64(task.scheduledEventId),
  };
  if (!task.startedEventId) return [scheduled];
  return [scheduled, { ...startedEvent(task, task.identity), eventId: int64(task.startedEventId) }];
}

/** WorkflowTaskCompleted for the started task. The caller has checked that it is the one the token names. */
export function completeWorkflowTask(
  turn: Turn,
  request: temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest,
): HistoryEvent {
  const { state } = turn;
  writeUnwritten(turn, request.identity ?? '');
  const task = state.workflowTask!;
  return turn.append({
    eventType: T.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    workflowTaskCompletedEventAttributes: {
      scheduledEventId: int64(task.scheduledEventId),
      startedEventId: int64(task.startedEventId),
      identity: request.identity,
      binaryChecksum: request.binaryChecksum,
      workerVersion: request.workerVersionStamp,
      sdkMetadata: request.sdkMetadata,
      meteringMetadata: request.meteringMetadata,
      ...deploymentOf(request),
    },
  });
}

/** Something happened that the workflow must see: a task, unless one is pending or the first one has to wait. */
export function wake(turn: Turn): void {
  if (!turn.state.workflowTask && !turn.state.firstTaskAtMs) scheduleWorkflowTask(turn);
}

/** The wait before the first workflow task (start delay, cron, retry backoff) is over or cut short. */
export function startFirstTask(turn: Turn): void {
  turn.state.firstTaskAtMs = 0;
  turn.touched = true;
  scheduleWorkflowTask(turn);
}

/** What a failed or timed out task leaves: the stickiness goes first, and only then attempts count. */
export function taskEnded(state: RunState, countAttempt: boolean): void {
  const counts = countAttempt && state.sticky === null;
  if (counts) countFailure(state);
  state.workflowTaskAttempt = counts ? state.workflowTaskAttempt + 1 : 1;
  state.closeAttempted = false;
  state.sticky = null;
  state.workflowTask = null;
  for (const update of state.updatesAdmitted) update.sentWith = 0;
}

/** Tasks that were taken from their workers, who did nothing wrong: the next is a first attempt again. */
const BLAMELESS = new Set<number>([
  CAUSE.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED,
  CAUSE.WORKFLOW_TASK_FAILED_CAUSE_FAILOVER_CLOSE_COMMAND,
]);

export const workflowTaskEvents = {
  [T.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED](state: RunState, event: HistoryEvent): void {
    const attributes = event.workflowTaskScheduledEventAttributes!;
    const atMs = fromTimestamp(event.eventTime);
    state.firstTaskAtMs = 0;
    if (state.workflowTask) return; // live: an unwritten task whose events are written now
    state.workflowTask = {
      ...blankTask(state, fromDuration(attributes.startToCloseTimeout), attributes.attempt ?? 1, atMs),
      scheduledEventId: toNumber(event.eventId),
    };
  },
  [T.EVENT_TYPE_WORKFLOW_TASK_STARTED](state: RunState, event: HistoryEvent): void {
    const task = state.workflowTask;
    if (!task) return;
    const attributes = event.workflowTaskStartedEventAttributes!;
    task.startedEventId = toNumber(event.eventId);
    task.startedMs = fromTimestamp(event.eventTime);
    task.requestId = attributes.requestId ?? '';
    task.identity = attributes.identity ?? '';
    task.historySizeBytes = toNumber(attributes.historySizeBytes);
    task.suggestReasons = [...(attributes.suggestContinueAsNewReasons ?? [])];
  },
  [T.EVENT_TYPE_WORKFLOW_TASK_COMPLETED](state: RunState, event: HistoryEvent): void {
    markCompletion(state, event);
    taskGotThrough(state);
    state.previousStartedEventId = toNumber(event.workflowTaskCompletedEventAttributes!.startedEventId);
    state.lastCompletedEventId = toNumber(event.eventId);
    state.workflowTask = null;
    state.workflowTaskAttempt = 1;
    state.closeAttempted = false;
  },
  [T.EVENT_TYPE_WORKFLOW_TASK_FAILED](state: RunState, event: HistoryEvent): void {
    const cause = event.workflowTaskFailedEventAttributes!.cause ?? 0;
    if (BLAMELESS.has(cause)) {
      taskEnded(state, false);
      return;
    }
    failedBecause(state, cause);
    taskEnded(state, true);
    if (cause !== CAUSE.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW) return;
    state.workflowTaskAttempt = 1;
    applyReset(state, event);
  },
  [T.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT](state: RunState, event: HistoryEvent): void {
    timedOutBecause(state, event.workflowTaskTimedOutEventAttributes!.timeoutType ?? 0);
    taskEnded(state, event.workflowTaskTimedOutEventAttributes!.timeoutType !== enums.TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START);
  },
};
