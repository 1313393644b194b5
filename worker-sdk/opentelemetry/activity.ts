/** A span around each attempt of an activity, and its ids in what the activity logs. */
import { type Tracer, trace } from '@opentelemetry/api';
import type { Context } from '../activity/context.js';
import type {
  ActivityExecuteInput,
  ActivityInboundCallsInterceptor,
  ActivityOutboundCallsInterceptor,
  GetLogAttributesInput,
  Next,
} from '../worker/interceptors.js';
import { extractContextFromHeaders } from './headers.js';
import { type InterceptorOptions, instrument } from './instrument.js';
import { ACTIVITY_ID_ATTR_KEY, RUN_ID_ATTR_KEY, SPAN_DELIMITER, SpanName, WORKFLOW_ID_ATTR_KEY } from './names.js';
import { traceLogAttributes } from './log-attributes.js';

/**
 * Traces the activities of a worker; their spans are children of the workflow's call.
 * @example
 * interceptors: { activity: [(ctx) => ({ inbound: new OpenTelemetryActivityInboundInterceptor(ctx) })] }
 */
export class OpenTelemetryActivityInboundInterceptor implements ActivityInboundCallsInterceptor {
  protected readonly tracer: Tracer;

  constructor(
    protected readonly ctx: Context,
    options: InterceptorOptions = {},
  ) {
    this.tracer = options.tracer ?? trace.getTracer('@perdure/sdk/activity');
  }

  execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    const { activityType, activityId, workflowExecution } = this.ctx.info;
    return instrument(
      this.tracer,
      `${SpanName.ACTIVITY_EXECUTE}${SPAN_DELIMITER}${activityType}`,
      (span) => {
        span.setAttribute(ACTIVITY_ID_ATTR_KEY, activityId);
        if (workflowExecution) {
          span.setAttribute(WORKFLOW_ID_ATTR_KEY, workflowExecution.workflowId);
          span.setAttribute(RUN_ID_ATTR_KEY, workflowExecution.runId);
        }
        return next(input);
      },
      {
        parent: extractContextFromHeaders(input.headers),
        // The activity goes on elsewhere: nothing failed.
        isOk: (error) => error instanceof Error && error.name === 'CompleteAsyncError',
      },
    );
  }
}

/** Adds the current span's ids to what an activity logs. */
export class OpenTelemetryActivityOutboundInterceptor implements ActivityOutboundCallsInterceptor {
  constructor(protected readonly ctx: Context) {}

  getLogAttributes(
    input: GetLogAttributesInput,
    next: Next<ActivityOutboundCallsInterceptor, 'getLogAttributes'>,
  ): Record<string, unknown> {
    return next({ ...traceLogAttributes(), ...input });
  }
}
