/**
 * The activity: scheduled by a command, handed to workers attempt by attempt, closed once. Attempts leave no events:
 * ActivityTaskStarted is written together with the event that closes it. What becomes of an attempt is told in activity-attempt.ts,
 * timeouts in activity-timeouts.ts, what operators do to it in activity-control.ts.
 */
import { api, enums, fromDuration, fromTimestamp, type HistoryEvent, int64, type temporal, toDuration, toNumber } from '../api.js';
import { textPayloads } from '../payloads.js';
import { completeRetryPolicy, retryPolicyToApi } from '../retry-policy.js';
import type { Activity, RunState } from '../run-state.js';
import { notePauses } from '../system-attributes.js';
import type { Turn } from '../turn.js';
import { cappedMs } from '../validate/duration.js';
import { isPaused } from './workflow-task.js';

type ScheduleAttributes = temporal.api.command.v1.IScheduleActivityTaskCommandAttributes;
type EventId = temporal.api.history.v1.IActivityTaskCompletedEventAttributes['scheduledEventId'];

const T = enums.EventType;
const PriorityCodec = api.common.v1.Priority;

export type Timeouts = Pick<Activity, 'scheduleToCloseMs' | 'scheduleToStartMs' | 'startToCloseMs' | 'heartbeatMs'>;
type ApiTimeouts = Pick<
  ScheduleAttributes,
  'scheduleToCloseTimeout' | 'scheduleToStartTimeout' | 'startToCloseTimeout' | 'heartbeatTimeout'
>;

/** The four timeouts with what is left out filled in, none longer than the run may last (milliseconds, 0 = none). */
export function completeTimeouts(attributes: ApiTimeouts, runTimeoutMs: number): Timeouts {
  const cap = (ms: number): number => (runTimeoutMs > 0 && ms > runTimeoutMs ? runTimeoutMs : ms);
  let scheduleToCloseMs = cappedMs(attributes.scheduleToCloseTimeout);
  let scheduleToStartMs = cappedMs(attributes.scheduleToStartTimeout);
  let startToCloseMs = cappedMs(attributes.startToCloseTimeout);
  let heartbeatMs = cappedMs(attributes.heartbeatTimeout);
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
  heartbeatMs = Math.min(cap(heartbeatMs), startToCloseMs);
  return { scheduleToCloseMs, scheduleToStartMs, startToCloseMs, heartbeatMs };
}

/** A checked ScheduleActivityTask command. Returns the new activity. */
export function scheduleActivity(turn: Turn, attributes: ScheduleAttributes, completedEventId: number): Activity {
  const { state } = turn;
  const timeouts = completeTimeouts(attributes, state.info.runTimeoutMs);
  turn.append({
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
  queueAttempt(turn, activity, turn.nowMs);
  return activity;
}

export function findActivity(state: RunState, activityId: string): Activity | undefined {
  for (const id in state.activities) if (state.activities[id]!.activityId === activityId) return state.activities[id];
  return undefined;
}

export const activitiesOfType = (state: RunState, type: string): Activity[] =>
  Object.values(state.activities).filter((a) => a.type === type);

/** Sets when the present attempt may begin: at once, or when the run's deadline comes to it. */
export function queueAttempt(turn: Turn, activity: Activity, atMs: number): void {
  activity.attemptScheduledMs = atMs;
  activity.queued = !activity.paused && !isPaused(turn.state) && atMs <= turn.nowMs;
  if (activity.queued) turn.effect({ type: 'activity-ready', scheduledEventId: activity.scheduledEventId });
  turn.touched = true;
}

/** A checked RequestCancelActivityTask command. An activity that no worker has is cancelled at once; says whether it was. */
export function requestCancelActivity(turn: Turn, activity: Activity, by: { completedEventId: number; identity: string }): boolean {
  writeCancelRequest(turn, activity.scheduledEventId, by.completedEventId);
  if (activity.startedMs) return false;
  turn.emit({
    eventType: T.EVENT_TYPE_ACTIVITY_TASK_CANCELED,
    activityTaskCanceledEventAttributes: {
      details: textPayloads('ACTIVITY_ID_NOT_STARTED'),
      latestCancelRequestedEventId: int64(activity.cancelRequestedEventId),
      scheduledEventId: int64(activity.scheduledEventId),
      startedEventId: int64(0),
      identity: by.identity,
    },
  });
  return true;
}

export function writeCancelRequest(turn: Turn, scheduledEventId: number, completedEventId: number): void {
  turn.append({
    eventType: T.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
    activityTaskCancelRequestedEventAttributes: {
      scheduledEventId: int64(scheduledEventId),
      workflowTaskCompletedEventId: int64(completedEventId),
    },
  });
}

/** The scheduled event that a closing event ends; 0 for every other event. */
export function endedActivityId(event: HistoryEvent): number {
  const attributes =
    event.activityTaskCompletedEventAttributes ??
    event.activityTaskFailedEventAttributes ??
    event.activityTaskTimedOutEventAttributes ??
    event.activityTaskCanceledEventAttributes;
  return toNumber(attributes?.scheduledEventId);
}

function newActivity(event: HistoryEvent): Activity {
  const attributes = event.activityTaskScheduledEventAttributes!;
  const atMs = fromTimestamp(event.eventTime);
  return {
    scheduledEventId: toNumber(event.eventId),
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
    priority: attributes.priority ? PriorityCodec.encode(attributes.priority).finish() : null,
  };
}

function forget(scheduledEventId: EventId, state: RunState): void {
  const id = toNumber(scheduledEventId);
  const wasPaused = state.activities[id]?.paused;
  delete state.activities[id];
  if (wasPaused) notePauses(state);
}

export const activityEvents = {
  [T.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED](state: RunState, event: HistoryEvent): void {
    const activity = newActivity(event);
    state.activities[activity.scheduledEventId] = activity;
  },
  [T.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED](state: RunState, event: HistoryEvent): void {
    const activity = state.activities[toNumber(event.activityTaskCancelRequestedEventAttributes!.scheduledEventId)];
    if (activity) activity.cancelRequestedEventId = toNumber(event.eventId);
  },
  [T.EVENT_TYPE_ACTIVITY_TASK_COMPLETED]: (state: RunState, event: HistoryEvent) =>
    forget(event.activityTaskCompletedEventAttributes!.scheduledEventId, state),
  [T.EVENT_TYPE_ACTIVITY_TASK_FAILED]: (state: RunState, event: HistoryEvent) =>
    forget(event.activityTaskFailedEventAttributes!.scheduledEventId, state),
  [T.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT]: (state: RunState, event: HistoryEvent) =>
    forget(event.activityTaskTimedOutEventAttributes!.scheduledEventId, state),
  [T.EVENT_TYPE_ACTIVITY_TASK_CANCELED]: (state: RunState, event: HistoryEvent) =>
    forget(event.activityTaskCanceledEventAttributes!.scheduledEventId, state),
};
