/** One attempt of an activity: handed to a worker, its heartbeats, and how it ends: completed, failed, cancelled, or tried again. */
import { api, enums, type Failure, type HistoryEvent, int64, type Payloads, toTimestamp } from '../api.js';
import { retryableFailure } from '../failure.js';
import { decideRetry, type RetryDecision } from '../retry-policy.js';
import type { Activity } from '../run-state.js';
import type { Turn } from '../turn.js';
import { queueAttempt } from './activity.js';
import { wake, type WorkerVersion } from './workflow-task.js';

const T = enums.EventType;
const RETRY = enums.RetryState;
const TIMEOUT = enums.TimeoutType;
const FailureCodec = api.failure.v1.Failure;
const PayloadsCodec = api.common.v1.Payloads;

/** Who takes an attempt, or speaks of one. */
export interface ByWorker {
  identity: string;
  requestId: string;
}

/** The present attempt is handed to a worker. */
export function startActivity(turn: Turn, activity: Activity, { identity, requestId }: ByWorker): void {
  activity.startedMs = turn.nowMs;
  activity.requestId = requestId;
  activity.identity = identity;
  turn.touched = true;
}

export interface Progress {
  cancelRequested: boolean;
  paused: boolean;
  reset: boolean;
}

/** A heartbeat of the present attempt: its details replace those of the last one. Says what the worker should know. */
export function heartbeatActivity(turn: Turn, activity: Activity, details: Payloads | null | undefined, identity = ''): Progress {
  activity.lastHeartbeatMs = turn.nowMs;
  activity.heartbeatDetails = details ? PayloadsCodec.encode(details).finish() : null;
  if (identity) activity.lastIdentity = identity;
  turn.touched = true;
  return { cancelRequested: activity.cancelRequestedEventId > 0, paused: activity.paused !== null, reset: activity.resetRequested };
}

/** Writes the Started event that belongs before a closing one; its id, or 0 when both wait in the buffer. */
export function writeStarted(turn: Turn, activity: Activity, workerVersion?: WorkerVersion | null): number {
  turn.emit({
    eventType: T.EVENT_TYPE_ACTIVITY_TASK_STARTED,
    eventTime: toTimestamp(activity.startedMs),
    activityTaskStartedEventAttributes: {
      scheduledEventId: int64(activity.scheduledEventId),
      identity: activity.identity,
      requestId: activity.requestId,
      attempt: activity.attempt,
      lastFailure: activity.lastFailure ? FailureCodec.decode(activity.lastFailure) : undefined,
      workerVersion,
    },
  });
  return turn.state.workflowTask?.startedEventId ? 0 : turn.state.nextEventId - 1;
}

interface Closing {
  /** What the worker says of its build. */
  workerVersion?: WorkerVersion | null;
  event(ids: { scheduledEventId: ReturnType<typeof int64>; startedEventId: ReturnType<typeof int64> }): HistoryEvent;
}

/** The attempt's Started event, the event that closes the activity, and a workflow task to see it. */
function close(turn: Turn, activity: Activity, { workerVersion, event }: Closing): void {
  const startedEventId = activity.startedMs ? writeStarted(turn, activity, workerVersion) : 0;
  turn.emit(event({ scheduledEventId: int64(activity.scheduledEventId), startedEventId: int64(startedEventId) }));
  wake(turn);
}

export interface Completion {
  result?: Payloads | null;
  identity?: string | null;
  workerVersion?: WorkerVersion | null;
}

/** The activity has its result. One that no worker has taken (completed by id, from elsewhere) counts as started now. */
export function completeActivity(turn: Turn, activity: Activity, { result, identity, workerVersion }: Completion): void {
  if (!activity.startedMs) startActivity(turn, activity, { identity: identity ?? '', requestId: '' });
  close(turn, activity, {
    workerVersion,
    event: (ids) => ({
      eventType: T.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
      activityTaskCompletedEventAttributes: { result, identity, ...ids },
    }),
  });
}

export interface AttemptFailure {
  failure: Failure | null | undefined;
  identity?: string | null;
  lastHeartbeatDetails?: Payloads | null;
  workerVersion?: WorkerVersion | null;
}

/** The started attempt failed: tried again, or the activity has failed. */
export function failActivity(
  turn: Turn,
  activity: Activity,
  { failure, identity, lastHeartbeatDetails, workerVersion }: AttemptFailure,
): void {
  if (lastHeartbeatDetails) heartbeatActivity(turn, activity, lastHeartbeatDetails, identity ?? '');
  const state = tryAgain(turn, activity, failure);
  if (state === RETRY.RETRY_STATE_IN_PROGRESS) return;
  close(turn, activity, {
    workerVersion,
    event: (ids) => ({
      eventType: T.EVENT_TYPE_ACTIVITY_TASK_FAILED,
      activityTaskFailedEventAttributes: { failure, identity, retryState: state, ...ids },
    }),
  });
}

/** The worker says that it stopped because the activity was cancelled. The caller has checked that this was asked for. */
export function cancelActivity(
  turn: Turn,
  activity: Activity,
  { details, identity }: { details?: Payloads | null; identity?: string | null },
): void {
  const latestCancelRequestedEventId = int64(activity.cancelRequestedEventId);
  close(turn, activity, {
    event: (ids) => ({
      eventType: T.EVENT_TYPE_ACTIVITY_TASK_CANCELED,
      activityTaskCanceledEventAttributes: { details, identity, latestCancelRequestedEventId, ...ids },
    }),
  });
}

/** Schedule timeouts end the activity whatever its policy says, and give their name as the retry state. */
const FINAL_TIMEOUTS = new Set<number>([TIMEOUT.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, TIMEOUT.TIMEOUT_TYPE_SCHEDULE_TO_START]);

/** Sets the next attempt if there is to be one (IN_PROGRESS); else the retry state that says why not, and nothing changes. */
export function tryAgain(turn: Turn, activity: Activity, failure: Failure | null | undefined): number {
  if (!activity.retry) return RETRY.RETRY_STATE_RETRY_POLICY_NOT_SET;
  if (activity.cancelRequestedEventId) return RETRY.RETRY_STATE_CANCEL_REQUESTED;
  if (FINAL_TIMEOUTS.has(failure?.timeoutFailureInfo?.timeoutType ?? 0)) return RETRY.RETRY_STATE_TIMEOUT;
  const verdict = verdictOn(turn, activity, failure);
  if (!verdict.retry) return verdict.state;
  nextAttempt(turn, activity, failure);
  if (activity.paused) activity.queued = false;
  else queueAttempt(turn, activity, turn.nowMs + verdict.delayMs);
  return RETRY.RETRY_STATE_IN_PROGRESS;
}

/** A paused activity goes on counting attempts: its limits are looked at again when one of them fails after it was resumed. */
function verdictOn(turn: Turn, activity: Activity, failure: Failure | null | undefined): RetryDecision {
  const policy = activity.retry!;
  if (activity.paused)
    return decideRetry({ ...policy, maximumAttempts: 0 }, { attempt: activity.attempt, nowMs: turn.nowMs, expirationMs: 0, failure });
  return decideRetry(policy, {
    attempt: activity.attempt,
    nowMs: turn.nowMs,
    expirationMs: activity.scheduleToCloseMs ? activity.scheduledMs + activity.scheduleToCloseMs : 0,
    failure,
  });
}

function nextAttempt(turn: Turn, activity: Activity, failure: Failure | null | undefined): void {
  activity.attempt += 1;
  activity.lastAttemptCompletedMs = turn.nowMs;
  activity.lastFailure = failure ? FailureCodec.encode(retryableFailure(failure, turn.limits.attemptFailureSizeMax)).finish() : null;
  endAttempt(activity);
  turn.touched = true;
}

/** No worker has the activity any more. A reset that waited for this takes its effect. */
export function endAttempt(activity: Activity): void {
  activity.lastIdentity = activity.identity || activity.lastIdentity;
  activity.identity = '';
  activity.startedMs = 0;
  activity.requestId = '';
  if (activity.resetHeartbeat) forgetHeartbeat(activity);
  activity.resetRequested = false;
  activity.resetHeartbeat = false;
}

export function forgetHeartbeat(activity: Activity): void {
  activity.heartbeatDetails = null;
  activity.lastHeartbeatMs = 0;
}
