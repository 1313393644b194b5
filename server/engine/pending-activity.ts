/** A pending activity as describe shows it. */
import { api, enums, type temporal, toDuration, toTimestamp } from '../core/api.js';
import { optionsOf } from '../core/activity-options.js';
import type { Activity } from '../core/run-state.js';

type PendingActivity = temporal.api.workflow.v1.IPendingActivityInfo;
const PENDING = enums.PendingActivityState;

function pendingState(activity: Activity): number {
  if (activity.cancelRequestedEventId) return PENDING.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED;
  if (activity.startedMs) return activity.paused ? PENDING.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED : PENDING.PENDING_ACTIVITY_STATE_STARTED;
  return activity.paused ? PENDING.PENDING_ACTIVITY_STATE_PAUSED : PENDING.PENDING_ACTIVITY_STATE_SCHEDULED;
}

const timeOrNone = (ms: number): ReturnType<typeof toTimestamp> | undefined => (ms ? toTimestamp(ms) : undefined);

/** The wait before the next attempt, while there is one. */
function wait(activity: Activity, nowMs: number): Pick<PendingActivity, 'nextAttemptScheduleTime' | 'currentRetryInterval'> {
  if (activity.startedMs || activity.paused || activity.attemptScheduledMs <= nowMs) return {};
  return {
    nextAttemptScheduleTime: toTimestamp(activity.attemptScheduledMs),
    currentRetryInterval: toDuration(activity.attemptScheduledMs - activity.lastAttemptCompletedMs),
  };
}

export function pendingActivity(activity: Activity, nowMs: number): PendingActivity {
  const { paused, priority } = activity;
  return {
    activityId: activity.activityId,
    activityType: { name: activity.type },
    state: pendingState(activity),
    heartbeatDetails:
      activity.lastHeartbeatMs && activity.heartbeatDetails ? api.common.v1.Payloads.decode(activity.heartbeatDetails) : undefined,
    lastHeartbeatTime: timeOrNone(activity.lastHeartbeatMs),
    lastStartedTime: timeOrNone(activity.startedMs),
    attempt: activity.attempt,
    maximumAttempts: activity.retry?.maximumAttempts,
    scheduledTime: toTimestamp(activity.attemptScheduledMs),
    expirationTime: activity.scheduleToCloseMs ? toTimestamp(activity.scheduledMs + activity.scheduleToCloseMs) : undefined,
    lastFailure: activity.lastFailure ? api.failure.v1.Failure.decode(activity.lastFailure) : undefined,
    lastWorkerIdentity: activity.identity || activity.lastIdentity,
    lastAttemptCompleteTime: timeOrNone(activity.lastAttemptCompletedMs),
    ...wait(activity, nowMs),
    paused: paused !== null,
    pauseInfo: paused ? { pauseTime: toTimestamp(paused.ms), manual: { identity: paused.identity, reason: paused.reason } } : undefined,
    priority: priority ? api.common.v1.Priority.decode(priority) : undefined,
    activityOptions: { ...optionsOf(activity), taskQueue: { name: activity.queue, normalName: activity.queue } },
  };
}
