/** What an activity can know about itself. */
import type { Priority } from '../definitions/priority.js';
import type { RetryPolicy } from '../definitions/retry-policy.js';

/** The activity that runs, and its attempt. Times are milliseconds since the epoch. */
export interface Info {
  /** Identifies this attempt to the server, for async completion. */
  readonly taskToken: Uint8Array;
  readonly base64TaskToken: string;
  readonly activityId: string;
  /** Name under which the activity is registered. */
  readonly activityType: string;
  readonly activityNamespace: string;
  /** Present where the activity runs on its own rather than for a workflow. */
  readonly activityRunId?: string;
  /** Namespace of the worker. */
  readonly namespace: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** Whether it was called by `proxyLocalActivities`. */
  readonly isLocal: boolean;
  /** Whether a workflow called it. */
  readonly inWorkflow: boolean;
  readonly workflowExecution?: { readonly workflowId: string; readonly runId: string };
  readonly workflowNamespace?: string;
  readonly workflowType?: string;
  readonly taskQueue: string;
  /** When the first attempt was scheduled. */
  readonly scheduledTimestampMs: number;
  /** When this attempt was scheduled. */
  readonly currentAttemptScheduledTimestampMs: number;
  readonly scheduleToCloseTimeoutMs: number;
  readonly startToCloseTimeoutMs: number;
  readonly heartbeatTimeoutMs?: number;
  /** Details of the last heartbeat of the attempt before. */
  // biome-ignore lint/suspicious/noExplicitAny: what the user's own heartbeat sent.
  readonly heartbeatDetails: any;
  readonly priority?: Priority;
  readonly retryPolicy?: RetryPolicy;
}
