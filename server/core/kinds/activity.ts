/**
 * The activity: scheduled by a command, handed to workers attempt by attempt, closed once. Attempts leave no events:
 * ActivityTaskStarted is written together with the event that closes it. Its timeouts and retries run on the run's one deadline.
 */
import { api, enums, type Failure, fromDuration, fromTimestamp, type HistoryEvent, int64, type Payloads, type temporal, toDuration, toNumber } from '../api.js';
import { textPayloads } from '../payloads.js';
import { completeRetryPolicy, decideRetry, retryPolicyToApi } from '../retry-policy.js';
import type { Activity, RunState } from '../run-state.js';
import type { Turn } from '../turn.js';
import { wake } from './workflow-task.js';

type ScheduleAttributes = temporal.api.command.v1.IScheduleActivityTaskCommandAttributes;
const T = enums.EventType;
const TIMEOUT = enums.TimeoutType;
const RETRY = enums.RetryState;
const FailureCodec = api.failure.v1.Failure;
const PayloadsCodec = api.common.v1.Payloads;
const PriorityCodec = api.common.v1.Priority;

/** The four timeouts with what is left out filled in, none longer than the run may last (milliseconds, 0 = none). */
export function completeTimeouts(attributes: ScheduleAttributes, runTimeoutMs: number): Pick<Activity, 'scheduleToCloseMs' | 'scheduleToStartMs' | 'startToCloseMs' | 'heartbeatMs'> {
  const cap = (ms: number): number => (runTimeoutMs > 0 && ms > runTimeoutMs ? runTimeoutMs : ms);
  let scheduleToCloseMs = fromDuration(attributes.scheduleToCloseTimeout);
  let scheduleToStartMs = fromDuration(attributes.scheduleToStartTimeout);
  let startToCloseMs = fromDuration(attributes.startToCloseTimeout);
  let heartbeatMs = fromDuration(attributes.heartbeatTimeout);
  if (scheduleToCloseMs > 0) {
    scheduleToStartMs = scheduleToStartMs > 0 ? Math.min(scheduleToStartMs, scheduleToCloseMs) : scheduleToCloseMs;
    startToCloseMs = startToCloseMs > 0 ? Math.min(startToCloseMs, scheduleToCloseMs) : scheduleToCloseMs;
  } else if (startToCloseMs > 0) {
    scheduleToCloseMs = runTimeoutMs;
    if (scheduleToStartMs === 0) scheduleToStartMs = runTimeoutMs;
  }
  scheduleToCloseMs = cap(scheduleToCloseMs);
  scheduleToStartMs = cap(scheduleToStartMs);
  startToCloseMs = cap(startToCloseMs);
  heartbeatMs = Math.min(cap(heartbeatMs), startToCloseMs || Number.MAX_SAFE_INTEGER);
  return { scheduleToCloseMs, scheduleToStartMs, startToCloseMs, heartbeatMs };
}

/** A checked ScheduleActivityTask command. Returns the new activity. */
export function scheduleActivity(turn: Turn, attributes: ScheduleAttributes, completedEventId: number, extra: Pick<HistoryEvent, 'userMetadata'> = {}): Activity {
  const { state } = turn;
  const timeouts = completeTimeouts(attributes, state.info.runTimeoutMs);
  turn.append({
    ...extra,
    eventType: T.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    activityTaskScheduledEventAttributes: {
      activityId: attributes.activityId,
      activityType: attributes.activityType,
      taskQueue: { name: attributes.taskQueue?.name || state.info.taskQueue, kind: enums.TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
      header: attributes.header,
      input: attributes.input,
      scheduleToCloseTimeout: toDuration(timeouts.scheduleToCloseMs),
      scheduleToStartTimeout: toDuration(timeouts.scheduleToStartMs),
      startToCloseTimeout: toDuration(timeouts.startToCloseMs),
      heartbeatTimeout: toDuration(timeouts.heartbeatMs),
      workflowTaskCompletedEventId: int64(completedEventId),
      retryPolicy: retryPolicyToApi(completeRetryPolicy(attributes.retryPolicy)),
      useWorkflowBuildId: attributes.useWorkflowBuildId,
      priority: attributes.priority,
    },
  });
  const activity = state.activities[state.nextEventId - 1]!;
  turn.effect({ type: 'activity-ready', scheduledEventId: activity.scheduledEventId });
  return activity;
}

export const findActivity = (state: RunState, activityId: string): Activity | undefined =>
  Object.values(state.activities).find((a) => a.activityId === activityId);

/** The present attempt is handed to a worker. */
export function startActivity(turn: Turn, activity: Activity, { identity, requestId }: { identity: string; requestId: string }): void {
  activity.startedMs = turn.nowMs;
  activity.requestId = requestId;
  activity.identity = identity;
  activity.lastHeartbeatMs = 0;
  turn.touched = true;
}

export interface Progress {
  cancelRequested: boolean;
  paused: boolean;
  reset: boolean;
}

/** A heartbeat of the present attempt; says what the worker should know. */
export function heartbeatActivity(turn: Turn, activity: Activity, details: Payloads | null | undefined): Progress {
  activity.lastHeartbeatMs = turn.nowMs;
  if (details) activity.heartbeatDetails = PayloadsCodec.encode(details).finish();
  turn.touched = true;
  return { cancelRequested: activity.cancelRequestedEventId > 0, paused: activity.paused !== null, reset: activity.resetRequested };
}

/** Writes the Started event that belongs before a closing one; its id, or 0 when both wait in the buffer. */
function writeStarted(turn: Turn, activity: Activity): number {
  turn.emit({
    eventType: T.EVENT_TYPE_ACTIVITY_TASK_STARTED,
    activityTaskStartedEventAttributes: {
      scheduledEventId: int64(activity.scheduledEventId),
      identity: activity.identity,
      requestId: activity.requestId,
      attempt: activity.attempt,
      lastFailure: activity.lastFailure ? FailureCodec.decode(activity.lastFailure) : undefined,
    },
    eventTime: undefined,
  });
  return turn.state.workflowTask?.startedEventId ? 0 : turn.state.nextEventId - 1;
}

export function completeActivity(turn: Turn, activity: Activity, { result, identity }: { result?: Payloads | null; identity?: string | null }): void {
  if (!activity.startedMs) Object.assign(activity, { identity: identity ?? '', requestId: '' });
  const startedEventId = writeStarted(turn, activity);
  turn.emit({
    eventType: T.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
    activityTaskCompletedEventAttributes: {
      result,
      scheduledEventId: int64(activity.scheduledEventId),
      startedEventId: int64(startedEventId),
      identity,
    },
  });
  wake(turn);
}

export interface AttemptFailure {
  failure: Failure | null | undefined;
  identity?: string | null;
  lastHeartbeatDetails?: Payloads | null;
}

/** The present attempt failed: tried again, or the activity has failed. Returns whether it is tried again. */
export function failActivity(turn: Turn, activity: Activity, failed: AttemptFailure): boolean {
  if (failed.lastHeartbeatDetails) activity.heartbeatDetails = PayloadsCodec.encode(failed.lastHeartbeatDetails).finish();
  const verdict = retryOf(turn, activity, failed.failure);
  if (verdict.retry) {
    retryActivity(turn, activity, failed.failure, verdict.delayMs);
    return true;
  }
  if (!activity.startedMs) Object.assign(activity, { identity: failed.identity ?? '', requestId: '' });
  const startedEventId = writeStarted(turn, activity);
  turn.emit({
    eventType: T.EVENT_TYPE_ACTIVITY_TASK_FAILED,
    activityTaskFailedEventAttributes: {
      failure: failed.failure,
      scheduledEventId: int64(activity.scheduledEventId),
      startedEventId: int64(startedEventId),
      identity: failed.identity,
      retryState: verdict.state,
    },
  });
  wake(turn);
  return false;
}

function retryOf(turn: Turn, activity: Activity, failure: Failure | null | undefined): ReturnType<typeof decideRetry> {
  if (activity.cancelRequestedEventId) return { retry: false, state: RETRY.RETRY_STATE_CANCEL_REQUESTED };
  return decideRetry(activity.retry, {
    attempt: activity.resetRequested ? 0 : activity.attempt,
    nowMs: turn.nowMs,
    expirationMs: activity.scheduleToCloseMs ? activity.scheduledMs + activity.scheduleToCloseMs : 0,
    failure,
  });
}

/** Sets the next attempt; it becomes ready when its backoff is over. */
function retryActivity(turn: Turn, activity: Activity, failure: Failure | null | undefined, delayMs: number): void {
  if (activity.resetRequested) {
    activity.attempt = 0;
    activity.resetRequested = false;
    if (activity.resetHeartbeat) activity.heartbeatDetails = null;
    activity.resetHeartbeat = false;
  }
  activity.attempt += 1;
  activity.startedMs = 0;
  activity.requestId = '';
  activity.lastIdentity = activity.identity;
  activity.identity = '';
  activity.lastAttemptCompletedMs = turn.nowMs;
  activity.lastFailure = failure ? FailureCodec.encode(failure).finish() : null;
  activity.attemptScheduledMs = turn.nowMs + delayMs;
  activity.queued = false;
  turn.touched = true;
}

/** The worker says that it stopped because the activity was cancelled. The caller has checked that this was asked for. */
export function cancelActivity(turn: Turn, activity: Activity, { details, identity }: { details?: Payloads | null; identity?: string | null }): void {
  const startedEventId = activity.startedMs ? writeStarted(turn, activity) : 0;
  turn.emit({
    eventType: T.EVENT_TYPE_ACTIVITY_TASK_CANCELED,
    activityTaskCanceledEventAttributes: {
      details,
      latestCancelRequestedEventId: int64(activity.cancelRequestedEventId),
      scheduledEventId: int64(activity.scheduledEventId),
      startedEventId: int64(startedEventId),
      identity,
    },
  });
  wake(turn);
}

/** A checked RequestCancelActivityTask command. An activity that no worker has is cancelled at once; says whether it was. */
export function requestCancelActivity(turn: Turn, activity: Activity, completedEventId: number): boolean {
  turn.append({
    eventType: T.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
    activityTaskCancelRequestedEventAttributes: {
      scheduledEventId: int64(activity.scheduledEventId),
      workflowTaskCompletedEventId: int64(completedEventId),
    },
  });
  if (activity.startedMs) return false;
  turn.append({
    eventType: T.EVENT_TYPE_ACTIVITY_TASK_CANCELED,
    activityTaskCanceledEventAttributes: {
      details: textPayloads('ACTIVITY_ID_NOT_STARTED'),
      latestCancelRequestedEventId: int64(activity.cancelRequestedEventId),
      scheduledEventId: int64(activity.scheduledEventId),
      startedEventId: int64(0),
      identity: activity.lastIdentity,
    },
  });
  return true;
}

/** The earliest moment at which something must be done about this activity. */
export function activityDeadline(activity: Activity): number {
  const due: number[] = [];
  if (activity.scheduleToCloseMs) due.push(activity.scheduledMs + activity.scheduleToCloseMs);
  if (activity.startedMs) {
    if (activity.startToCloseMs) due.push(activity.startedMs + activity.startToCloseMs);
    if (activity.heartbeatMs) due.push(Math.max(activity.startedMs, activity.lastHeartbeatMs) + activity.heartbeatMs);
  } else if (!activity.paused) {
    if (!activity.queued) due.push(activity.attemptScheduledMs);
    else if (activity.scheduleToStartMs) due.push(activity.attemptScheduledMs + activity.scheduleToStartMs);
  }
  return due.length === 0 ? 0 : Math.min(...due);
}

/** Does whatever is due for this activity. */
export function fireActivity(turn: Turn, activity: Activity): void {
  const { nowMs } = turn;
  const dueMs = activityDeadline(activity);
  if (dueMs === 0 || dueMs > nowMs) return;
  const passed = (fromMs: number, timeoutMs: number): boolean => timeoutMs > 0 && fromMs + timeoutMs <= nowMs;
  if (passed(activity.scheduledMs, activity.scheduleToCloseMs)) timeOutActivity(turn, activity, TIMEOUT.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
  else if (activity.startedMs) {
    const type = passed(activity.startedMs, activity.startToCloseMs) ? TIMEOUT.TIMEOUT_TYPE_START_TO_CLOSE : TIMEOUT.TIMEOUT_TYPE_HEARTBEAT;
    timeOutActivity(turn, activity, type);
  } else if (activity.queued) timeOutActivity(turn, activity, TIMEOUT.TIMEOUT_TYPE_SCHEDULE_TO_START);
  else {
    activity.queued = true;
    turn.touched = true;
    turn.effect({ type: 'activity-ready', scheduledEventId: activity.scheduledEventId });
  }
}

const TIMEOUT_NAMES: Record<number, string> = {
  [TIMEOUT.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE]: 'ScheduleToClose',
  [TIMEOUT.TIMEOUT_TYPE_SCHEDULE_TO_START]: 'ScheduleToStart',
  [TIMEOUT.TIMEOUT_TYPE_START_TO_CLOSE]: 'StartToClose',
  [TIMEOUT.TIMEOUT_TYPE_HEARTBEAT]: 'Heartbeat',
};

function timeOutActivity(turn: Turn, activity: Activity, timeoutType: number): void {
  const failure: Failure = {
    message: `activity ${TIMEOUT_NAMES[timeoutType]} timeout`,
    source: 'Server',
    timeoutFailureInfo: {
      timeoutType,
      lastHeartbeatDetails: activity.heartbeatDetails ? PayloadsCodec.decode(activity.heartbeatDetails) : undefined,
    },
  };
  const final = timeoutType === TIMEOUT.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE || timeoutType === TIMEOUT.TIMEOUT_TYPE_SCHEDULE_TO_START;
  const verdict = final ? ({ retry: false, state: RETRY.RETRY_STATE_TIMEOUT } as const) : retryOf(turn, activity, failure);
  if (verdict.retry) {
    retryActivity(turn, activity, failure, verdict.delayMs);
    return;
  }
  const startedEventId = activity.startedMs ? writeStarted(turn, activity) : 0;
  if (activity.lastFailure) failure.cause = FailureCodec.decode(activity.lastFailure);
  turn.emit({
    eventType: T.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
    activityTaskTimedOutEventAttributes: {
      failure,
      scheduledEventId: int64(activity.scheduledEventId),
      startedEventId: int64(startedEventId),
      retryState: verdict.state,
    },
  });
  wake(turn);
}

const forget = (scheduledEventId: temporal.api.history.v1.IActivityTaskCompletedEventAttributes['scheduledEventId'], state: RunState): void => {
  delete state.activities[toNumber(scheduledEventId)];
};

export const activityEvents = {
  [T.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED](state: RunState, event: HistoryEvent): void {
    const attributes = event.activityTaskScheduledEventAttributes!;
    const scheduledEventId = toNumber(event.eventId);
    const atMs = fromTimestamp(event.eventTime);
    state.activities[scheduledEventId] = {
      scheduledEventId,
      activityId: attributes.activityId ?? '',
      type: attributes.activityType?.name ?? '',
      queue: attributes.taskQueue?.name ?? '',
      attempt: 1,
      scheduledMs: atMs,
      attemptScheduledMs: atMs,
      queued: true,
      startedMs: 0,
      requestId: '',
      identity: '',
      scheduleToCloseMs: fromDuration(attributes.scheduleToCloseTimeout),
      scheduleToStartMs: fromDuration(attributes.scheduleToStartTimeout),
      startToCloseMs: fromDuration(attributes.startToCloseTimeout),
      heartbeatMs: fromDuration(attributes.heartbeatTimeout),
      retry: attributes.retryPolicy ? completeRetryPolicy(attributes.retryPolicy) : null,
      lastFailure: null,
      lastIdentity: '',
      lastAttemptCompletedMs: 0,
      heartbeatDetails: null,
      lastHeartbeatMs: 0,
      cancelRequestedEventId: 0,
      stamp: 0,
      paused: null,
      resetRequested: false,
      resetHeartbeat: false,
      keepPaused: false,
      priority: attributes.priority ? PriorityCodec.encode(attributes.priority).finish() : null,
      originalOptions: null,
    };
  },
  [T.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED](state: RunState, event: HistoryEvent): void {
    const activity = state.activities[toNumber(event.activityTaskCancelRequestedEventAttributes!.scheduledEventId)];
    if (activity) activity.cancelRequestedEventId = toNumber(event.eventId);
  },
  [T.EVENT_TYPE_ACTIVITY_TASK_COMPLETED]: (state: RunState, event: HistoryEvent) => forget(event.activityTaskCompletedEventAttributes!.scheduledEventId, state),
  [T.EVENT_TYPE_ACTIVITY_TASK_FAILED]: (state: RunState, event: HistoryEvent) => forget(event.activityTaskFailedEventAttributes!.scheduledEventId, state),
  [T.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT]: (state: RunState, event: HistoryEvent) => forget(event.activityTaskTimedOutEventAttributes!.scheduledEventId, state),
  [T.EVENT_TYPE_ACTIVITY_TASK_CANCELED]: (state: RunState, event: HistoryEvent) => forget(event.activityTaskCanceledEventAttributes!.scheduledEventId, state),
};
