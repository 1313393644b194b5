/** The options of an activity that can be changed while it is pending: as the API shows them, and how a request changes them field by field. */
import { api, enums, type temporal, toDuration } from './api.js';
import { invalidArgument } from './errors.js';
import type { Activity } from './run-state.js';

export type ActivityOptions = temporal.api.activity.v1.IActivityOptions;
type ScheduledAttributes = temporal.api.history.v1.IActivityTaskScheduledEventAttributes;
const KIND_NORMAL = enums.TaskQueueKind.TASK_QUEUE_KIND_NORMAL;

export const optionsOf = (activity: Activity): ActivityOptions => ({
  taskQueue: { name: activity.queue },
  scheduleToCloseTimeout: toDuration(activity.scheduleToCloseMs),
  scheduleToStartTimeout: toDuration(activity.scheduleToStartMs),
  startToCloseTimeout: toDuration(activity.startToCloseMs),
  heartbeatTimeout: toDuration(activity.heartbeatMs),
  retryPolicy: activity.retry && {
    initialInterval: toDuration(activity.retry.initialIntervalMs),
    backoffCoefficient: activity.retry.coefficient,
    maximumInterval: toDuration(activity.retry.maximumIntervalMs),
    maximumAttempts: activity.retry.maximumAttempts,
  },
  priority: activity.priority ? api.common.v1.Priority.decode(activity.priority) : undefined,
});

/** What the activity was scheduled with. */
export const originalOptions = (attributes: ScheduledAttributes): ActivityOptions => ({
  taskQueue: { name: attributes.taskQueue?.name },
  scheduleToCloseTimeout: attributes.scheduleToCloseTimeout,
  scheduleToStartTimeout: attributes.scheduleToStartTimeout,
  startToCloseTimeout: attributes.startToCloseTimeout,
  heartbeatTimeout: attributes.heartbeatTimeout,
  retryPolicy: attributes.retryPolicy,
  priority: attributes.priority,
});

/** `retry_policy.maximum_attempts` and `retryPolicy.maximumAttempts` are the same path: the second, as messages spell it. */
export const camelPath = (path: string): string =>
  path
    .split('.')
    .map((part) =>
      part.replace(/_+([a-z0-9])/gi, (_, letter: string) => letter.toUpperCase()).replace(/^[A-Z]/, (letter) => letter.toLowerCase()),
    )
    .join('.');

type Take = (into: ActivityOptions, from: ActivityOptions) => void;

/** The message that a path leads into. Throws INVALID_ARGUMENT when the request names the path but not the message. */
function provided<T>(message: T | null | undefined, name: string): T {
  if (!message) throw invalidArgument(`${name} is not provided`);
  return message;
}

const priority =
  (take: (into: temporal.api.common.v1.IPriority, from: temporal.api.common.v1.IPriority) => void): Take =>
  (into, from) => {
    into.priority = { ...into.priority };
    take(into.priority, provided(from.priority, 'Priority'));
  };

const retryPolicy =
  (take: (into: temporal.api.common.v1.IRetryPolicy, from: temporal.api.common.v1.IRetryPolicy) => void): Take =>
  (into, from) => {
    into.retryPolicy = { ...into.retryPolicy };
    take(into.retryPolicy, provided(from.retryPolicy, 'RetryPolicy'));
  };

/** Every path that a mask may name. Others are passed over, so that clients newer than this server still change what it knows. */
const PATHS: Record<string, Take> = {
  'taskQueue.name': (into, from) => {
    into.taskQueue = { name: provided(from.taskQueue, 'TaskQueue').name, kind: KIND_NORMAL };
  },
  scheduleToCloseTimeout: (into, from) => {
    into.scheduleToCloseTimeout = from.scheduleToCloseTimeout;
  },
  scheduleToStartTimeout: (into, from) => {
    into.scheduleToStartTimeout = from.scheduleToStartTimeout;
  },
  startToCloseTimeout: (into, from) => {
    into.startToCloseTimeout = from.startToCloseTimeout;
  },
  heartbeatTimeout: (into, from) => {
    into.heartbeatTimeout = from.heartbeatTimeout;
  },
  priority: (into, from) => {
    into.priority = from.priority;
  },
  'priority.priorityKey': priority((into, from) => {
    into.priorityKey = from.priorityKey;
  }),
  'priority.fairnessKey': priority((into, from) => {
    into.fairnessKey = from.fairnessKey;
  }),
  'priority.fairnessWeight': priority((into, from) => {
    into.fairnessWeight = from.fairnessWeight;
  }),
  retryPolicy: (into, from) => {
    into.retryPolicy = provided(from.retryPolicy, 'RetryPolicy');
  },
  'retryPolicy.initialInterval': retryPolicy((into, from) => {
    into.initialInterval = from.initialInterval;
  }),
  'retryPolicy.backoffCoefficient': retryPolicy((into, from) => {
    into.backoffCoefficient = from.backoffCoefficient;
  }),
  'retryPolicy.maximumInterval': retryPolicy((into, from) => {
    into.maximumInterval = from.maximumInterval;
  }),
  'retryPolicy.maximumAttempts': retryPolicy((into, from) => {
    into.maximumAttempts = from.maximumAttempts;
  }),
};

/** Whole messages come before their fields, whatever the order of the mask. */
export function mergeOptions(options: ActivityOptions, changes: ActivityOptions, paths: readonly string[]): ActivityOptions {
  const merged = { ...options };
  const wanted = new Set(paths.map(camelPath));
  for (const [path, take] of Object.entries(PATHS)) if (wanted.has(path)) take(merged, changes);
  return merged;
}

export const isKnownPath = (path: string): boolean => Object.hasOwn(PATHS, camelPath(path));
