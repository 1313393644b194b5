/** What an activity can know about itself. */
import type { Priority } from '../definitions/priority.js';
import type { RetryPolicy } from '../definitions/retry-policy.js';

/** The activity that runs, and its attempt. Times are milliseconds since the epoch. */
export interface Info {
  /** Identifies this attempt to the server, for async completion. */
  readonly taskToken: Uint8Array;
  /** {@link taskToken} as text; empty for a local activity. */
  readonly base64TaskToken: string;
  /** As scheduled; a number counted up in the run where the options name none. */
  readonly activityId: string;
  /** Name under which the activity is registered. */
  readonly activityType: string;
  /** Namespace that the activity belongs to. */
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
  /** The run that called it, by `workflowId` and `runId`; absent where no workflow did. */
  readonly workflowExecution?: { readonly workflowId: string; readonly runId: string };
  /** Namespace of the workflow that called it; absent where none did. */
  readonly workflowNamespace?: string;
  /** Of the workflow that called it; absent where none did. */
  readonly workflowType?: string;
  /** The queue of the worker that executes it. */
  readonly taskQueue: string;
  /** When the first attempt was scheduled. */
  readonly scheduledTimestampMs: number;
  /** When this attempt was scheduled. */
  readonly currentAttemptScheduledTimestampMs: number;
  /** Limit of all attempts together, as the server filled it in; 0 for none. */
  readonly scheduleToCloseTimeoutMs: number;
  /** Limit of this attempt, as the server filled it in; 0 for none. */
  readonly startToCloseTimeoutMs: number;
  /** Longest time between two heartbeats; absent where none are expected. */
  readonly heartbeatTimeoutMs?: number;
  /** Details of the last heartbeat of the attempt before. */
  // biome-ignore lint/suspicious/noExplicitAny: what the user's own heartbeat sent.
  readonly heartbeatDetails: any;
  /** Its fields are undefined where nothing was given; absent in a local activity. */
  readonly priority?: Priority;
  /** As scheduled, with the server's defaults; absent for the default in a local activity. */
  readonly retryPolicy?: RetryPolicy;
}
