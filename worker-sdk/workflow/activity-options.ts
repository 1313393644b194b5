/** Options of activities as workflow code gives them. */
import type { Duration } from '../definitions/duration.js';
import { enumNames } from '../definitions/enum-names.js';
import type { Priority } from '../definitions/priority.js';
import type { RetryPolicy } from '../definitions/retry-policy.js';
import type { EventGroupMarker } from './event-groups.js';
import type { VersioningIntent } from './interfaces.js';

/** What happens to an activity whose scope is cancelled. */
export const ActivityCancellationType = {
  /** It is asked to cancel, and the workflow is told at once. Default. */
  TRY_CANCEL: 'TRY_CANCEL',
  /** It is asked to cancel, and the workflow is told when it has ended. */
  WAIT_CANCELLATION_COMPLETED: 'WAIT_CANCELLATION_COMPLETED',
  /** It goes on, and the workflow is told at once. */
  ABANDON: 'ABANDON',
} as const;
export type ActivityCancellationType = (typeof ActivityCancellationType)[keyof typeof ActivityCancellationType];
export const [encodeActivityCancellationType] = enumNames(
  { TRY_CANCEL: 0, WAIT_CANCELLATION_COMPLETED: 1, ABANDON: 2 },
  '',
);

/** Options of an activity. One of `startToCloseTimeout` and `scheduleToCloseTimeout` is required. */
export interface ActivityOptions {
  /** Default: a number, counted up in each run. */
  activityId?: string;
  /** Default: the workflow's. */
  taskQueue?: string;
  /** Longest time between two heartbeats. Default: no heartbeats expected. */
  heartbeatTimeout?: Duration;
  /** Default: retried without limit, pauses doubling from 1 second to 100 seconds. */
  retry?: RetryPolicy;
  /** Longest time of one attempt. */
  startToCloseTimeout?: Duration;
  /** Longest time in the task queue. */
  scheduleToStartTimeout?: Duration;
  /** Longest time of all, retries included. */
  scheduleToCloseTimeout?: Duration;
  /** Default `TRY_CANCEL`. */
  cancellationType?: ActivityCancellationType;
  /** Whether the server may hand the task to this worker in its answer. @default true */
  allowEagerDispatch?: boolean;
  /** @deprecated Use worker deployments. */
  versioningIntent?: VersioningIntent;
  /** One line for people. */
  summary?: string;
  /** Laid over the workflow's, field by field. */
  priority?: Priority;
  /** Groups that tools show the activity's events in, besides those of the scopes around. */
  eventGroups?: EventGroupMarker[];
}

/** Options of a local activity. One of `startToCloseTimeout` and `scheduleToCloseTimeout` is required. */
export interface LocalActivityOptions {
  /** Default: retried without limit, pauses doubling from 1 second to 100 seconds. The worker decides, by the server's rules. */
  retry?: RetryPolicy;
  /** Longest time of one attempt. */
  startToCloseTimeout?: Duration;
  /** Longest time that an attempt waits for a free slot of the worker; then it has failed for good. Default: no limit. */
  scheduleToStartTimeout?: Duration;
  /** Longest time of all, retries and the pauses between them included. */
  scheduleToCloseTimeout?: Duration;
  /** Pauses longer than this are waited for by a durable timer instead of in the worker. @default 1 minute */
  localRetryThreshold?: Duration;
  /** Default `TRY_CANCEL`. */
  cancellationType?: ActivityCancellationType;
  /** One line for people. */
  summary?: string;
  /** Groups that tools show the activity's marker in, besides those of the scopes around. */
  eventGroups?: EventGroupMarker[];
}
