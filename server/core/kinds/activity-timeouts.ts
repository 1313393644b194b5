/** What the clock does to an activity: its four timeouts, and the end of a wait before the next attempt. */
import { api, enums, type Failure, int64 } from '../api.js';
import { timeoutFailure } from '../failure.js';
import { workersDeadline } from '../outage.js';
import type { Activity } from '../run-state.js';
import type { Turn } from '../turn.js';
import { queueAttempt } from './activity.js';
import { tryAgain, writeStarted } from './activity-attempt.js';
import { isPaused, wake } from './workflow-task.js';

const TIMEOUT = enums.TimeoutType;
const RETRY = enums.RetryState;

/** A moment at which something happens to an activity: a timeout of that type, or (0) its next attempt. */
interface Moment {
  activity: Activity;
  atMs: number;
  timeoutType: number;
  /** The attempt it is about. */
  attempt: number;
}

/**
 * Paused activities are not timed: neither do they time out, nor does an attempt begin; of a paused run only the latter holds. A heartbeat is not missed before `reachableSinceMs`, when the
 * last outage ended: nobody could have taken it.
 */
function momentsOf(activity: Activity, reachableSinceMs: number, runPaused: boolean): Moment[] {
  const moments: Moment[] = [];
  const add = (timeoutType: number, fromMs: number, ms: number): void => {
    if (ms > 0) moments.push({ activity, atMs: workersDeadline(fromMs + ms, reachableSinceMs), timeoutType, attempt: activity.attempt });
  };
  if (activity.paused) return moments;
  add(TIMEOUT.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, activity.scheduledMs, activity.scheduleToCloseMs);
  if (activity.startedMs) {
    add(TIMEOUT.TIMEOUT_TYPE_START_TO_CLOSE, activity.startedMs, activity.startToCloseMs);
    add(TIMEOUT.TIMEOUT_TYPE_HEARTBEAT, Math.max(activity.startedMs, activity.lastHeartbeatMs, reachableSinceMs), activity.heartbeatMs);
  } else {
    if (!activity.queued && !runPaused) moments.push({ activity, atMs: activity.attemptScheduledMs, timeoutType: 0, attempt: activity.attempt });
    add(TIMEOUT.TIMEOUT_TYPE_SCHEDULE_TO_START, activity.attemptScheduledMs, activity.scheduleToStartMs);
  }
  return moments;
}

/** The earliest moment at which something must be done about this activity; 0 = never. */
export function activityDeadline(activity: Activity, reachableSinceMs = 0, runPaused = false): number {
  let earliest = 0;
  for (const { atMs } of momentsOf(activity, reachableSinceMs, runPaused)) if (earliest === 0 || atMs < earliest) earliest = atMs;
  return earliest;
}

/** Does whatever is due for the activities of a run, earliest first; of several at one moment in the order of their ids and types. */
export function fireActivities(turn: Turn): void {
  const due: Moment[] = [];
  for (const id in turn.state.activities) {
    for (const moment of momentsOf(turn.state.activities[id]!, turn.context.reachableSinceMs ?? 0, isPaused(turn.state))) if (moment.atMs <= turn.nowMs) due.push(moment);
  }
  due.sort((a, b) => a.atMs - b.atMs || a.activity.scheduledEventId - b.activity.scheduledEventId || a.timeoutType - b.timeoutType);
  for (const moment of due) {
    const { activity } = moment;
    const stillSo = turn.state.activities[activity.scheduledEventId] === activity && activity.attempt === moment.attempt;
    if (!stillSo) continue;
    if (moment.timeoutType) timeOut(turn, activity, moment.timeoutType);
    else queueAttempt(turn, activity, activity.attemptScheduledMs);
  }
}

const NAMES: Record<number, string> = {
  [TIMEOUT.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE]: 'ScheduleToClose',
  [TIMEOUT.TIMEOUT_TYPE_SCHEDULE_TO_START]: 'ScheduleToStart',
  [TIMEOUT.TIMEOUT_TYPE_START_TO_CLOSE]: 'StartToClose',
  [TIMEOUT.TIMEOUT_TYPE_HEARTBEAT]: 'Heartbeat',
};
const NO_TIME_LEFT = 'Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying';

function timeOut(turn: Turn, activity: Activity, timeoutType: number): void {
  let failure: Failure = timeoutFailure(`activity ${NAMES[timeoutType]} timeout`, timeoutType);
  const state = tryAgain(turn, activity, failure);
  if (state === RETRY.RETRY_STATE_IN_PROGRESS) return;
  // no room for another attempt is told as the timeout that leaves none
  if (state === RETRY.RETRY_STATE_TIMEOUT && timeoutType !== TIMEOUT.TIMEOUT_TYPE_SCHEDULE_TO_START) {
    failure = timeoutFailure(NO_TIME_LEFT, TIMEOUT.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
  }
  if (activity.heartbeatDetails)
    failure.timeoutFailureInfo!.lastHeartbeatDetails = api.common.v1.Payloads.decode(activity.heartbeatDetails);
  if (activity.lastFailure) failure.cause = api.failure.v1.Failure.decode(activity.lastFailure);
  const startedEventId = activity.startedMs ? writeStarted(turn, activity) : 0;
  turn.emit({
    eventType: enums.EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
    activityTaskTimedOutEventAttributes: {
      failure,
      scheduledEventId: int64(activity.scheduledEventId),
      startedEventId: int64(startedEventId),
      retryState: state,
    },
  });
  wake(turn);
}
