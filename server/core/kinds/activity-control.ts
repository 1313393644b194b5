/** What operators do to a pending activity: pause it, resume it, start its attempts over, change its options. None of it leaves an event. */
import { api } from '../api.js';
import { type ActivityOptions, mergeOptions, optionsOf } from '../activity-options.js';
import { failedPrecondition } from '../errors.js';
import { backoffMs, completeRetryPolicy } from '../retry-policy.js';
import type { Activity } from '../run-state.js';
import { notePauses } from '../system-attributes.js';
import type { Turn } from '../turn.js';
import { scheduleProblem } from '../validate/commands/activity.js';
import { refuse } from '../validate/problem.js';
import { completeTimeouts, queueAttempt } from './activity.js';
import { endAttempt, forgetHeartbeat } from './activity-attempt.js';

export interface Pause {
  identity: string;
  reason: string;
  requestId: string;
}

/** Scheduled: no worker has it, so it can be moved at once. One that is asked to stop belongs to its worker. */
const isScheduled = (activity: Activity): boolean => !activity.startedMs && !activity.cancelRequestedEventId;

/** No attempt begins until it is resumed; one that runs goes on, and its worker is told with its next heartbeat. */
export function pauseActivity(turn: Turn, activity: Activity, pause: Pause): void {
  if (activity.paused) {
    if (activity.paused.requestId === pause.requestId) return;
    throw failedPrecondition('activity is already paused');
  }
  if (isScheduled(activity)) activity.stamp += 1;
  activity.paused = { ms: turn.nowMs, ...pause };
  notePauses(turn.state);
  turn.touched = true;
}

function resume(turn: Turn, activity: Activity): void {
  activity.paused = null;
  activity.stamp += 1;
  notePauses(turn.state);
  turn.touched = true;
}

export interface Resume {
  resetAttempts: boolean;
  resetHeartbeat: boolean;
  /** How long to wait before the attempt that resuming makes ready, in milliseconds. */
  delayMs: number;
}

/** An activity that is not paused stays as it is. */
export function unpauseActivity(turn: Turn, activity: Activity, { resetAttempts, resetHeartbeat, delayMs }: Resume): void {
  if (!activity.paused) return;
  resume(turn, activity);
  if (resetAttempts) activity.attempt = 1;
  if (resetHeartbeat) forgetHeartbeat(activity);
  if (!isScheduled(activity)) return;
  if (resetAttempts) activity.lastFailure = null;
  queueAttempt(turn, activity, turn.nowMs + delayMs);
}

export interface Reset {
  resetHeartbeat: boolean;
  keepPaused: boolean;
  /** What it was scheduled with, to have again; undefined to leave its options as they are. */
  options: ActivityOptions | undefined;
  delayMs: number;
}

/**
 * Attempts count from one again: at once when none runs, else after the one that does. Of these a first attempt goes on, and its worker is told
 * with its next heartbeat; a later one is void from here on, and its worker's answers find nothing.
 */
export function resetActivity(turn: Turn, activity: Activity, { resetHeartbeat, keepPaused, options, delayMs }: Reset): void {
  activity.attempt = 1;
  activity.resetRequested = true;
  if (resetHeartbeat) activity.resetHeartbeat = true;
  if (options) setOptions(activity, options);
  activity.stamp += 1;
  if (activity.paused && !keepPaused) resume(turn, activity);
  turn.touched = true;
  if (!isScheduled(activity)) return;
  endAttempt(activity);
  activity.lastFailure = null;
  queueAttempt(turn, activity, turn.nowMs + delayMs);
}

function setOptions(activity: Activity, options: ActivityOptions): void {
  Object.assign(activity, completeTimeouts(options, 0));
  activity.queue = options.taskQueue?.name ?? '';
  activity.priority = options.priority ? api.common.v1.Priority.encode(options.priority).finish() : null;
  const nonRetryableTypes = options.retryPolicy?.nonRetryableErrorTypes ?? activity.retry?.nonRetryableTypes ?? [];
  activity.retry = { ...completeRetryPolicy(options.retryPolicy), nonRetryableTypes };
  activity.stamp += 1;
}

/** Lays the named fields over the activity's options. Throws INVALID_ARGUMENT, and changes nothing, when what comes out could not be scheduled. */
export function changeOptions(turn: Turn, activity: Activity, changes: ActivityOptions, paths: readonly string[]): ActivityOptions {
  const merged = mergeOptions(optionsOf(activity), changes, paths);
  merged.taskQueue = { ...merged.taskQueue, name: merged.taskQueue?.name || turn.state.info.taskQueue };
  const attributes = { ...merged, activityId: activity.activityId, activityType: { name: activity.type } };
  refuse(scheduleProblem(attributes, turn.limits.idLengthMax));
  return replaceOptions(turn, activity, merged);
}

/** Gives the activity these options, which are known to be good; a next attempt that waits is timed by them. */
export function replaceOptions(turn: Turn, activity: Activity, options: ActivityOptions): ActivityOptions {
  setOptions(activity, options);
  turn.touched = true;
  if (isScheduled(activity)) queueAttempt(turn, activity, nextAttemptMs(activity));
  return optionsOf(activity);
}

/** When the present attempt may begin, by the policy as it is now. */
function nextAttemptMs(activity: Activity): number {
  if (activity.attempt === 1 || !activity.retry || !activity.lastAttemptCompletedMs) return activity.attemptScheduledMs;
  return activity.lastAttemptCompletedMs + backoffMs(activity.retry, activity.attempt - 1);
}
