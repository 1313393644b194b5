/** Hooks around the execution of activities. Those of workflows are loaded into the sandbox: see `workflowModules`. */
import type { Context } from '../activity/context.js';
import type { ClientInterceptors } from '../client/interceptors.js';
import type { Headers, Next } from '../definitions/interceptors.js';
import type { MetricTags } from '../definitions/metrics.js';

export type { Headers, Next };

/** Input of {@link ActivityInboundCallsInterceptor.execute}: the activity's `args`, converted, and the `headers` that it was scheduled with. */
export interface ActivityExecuteInput {
  readonly args: unknown[];
  readonly headers: Headers;
}

/** Hooks on the way into an activity. */
export interface ActivityInboundCallsInterceptor {
  /** Around the activity's function. */
  execute?: (input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>) => Promise<unknown>;
}

/** Attributes of a log entry, to be added to. */
export type GetLogAttributesInput = Record<string, unknown>;
/** Tags of a metric, to be added to. */
export type GetMetricTagsInput = MetricTags;

/** Hooks on what an activity asks of its worker. */
export interface ActivityOutboundCallsInterceptor {
  /** Attributes of each entry that the activity logs. */
  getLogAttributes?: (
    input: GetLogAttributesInput,
    next: Next<ActivityOutboundCallsInterceptor, 'getLogAttributes'>,
  ) => Record<string, unknown>;
  /** Tags of each value that the activity emits. */
  getMetricTags?: (input: GetMetricTagsInput, next: Next<ActivityOutboundCallsInterceptor, 'getMetricTags'>) => MetricTags;
}

/** Interceptors of one activity execution. */
export interface ActivityInterceptors {
  /** Around what reaches the activity. */
  inbound?: ActivityInboundCallsInterceptor;
  /** Around what the activity asks its worker for. */
  outbound?: ActivityOutboundCallsInterceptor;
}

/** Makes the interceptors of an activity execution; may answer with the same ones each time. */
export type ActivityInterceptorsFactory = (ctx: Context) => ActivityInterceptors;

/** Interceptors of a worker. */
export interface WorkerInterceptors {
  /** For the client that activities are given. */
  client?: ClientInterceptors;
  /** Asked for each activity execution; the first is the outermost. */
  activity?: ActivityInterceptorsFactory[];
  /** Modules that export `interceptors`, to be loaded into each workflow. Not used with a prebuilt bundle. */
  workflowModules?: string[];
}
