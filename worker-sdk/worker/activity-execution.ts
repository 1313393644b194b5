/** One attempt of an activity: its context, its interceptors, its cancellation, and what comes out. */
import type { Info } from '../activity/info.js';
import { Cancellation } from '../activity/cancellation.js';
import { asyncLocalStorage, Context } from '../activity/context.js';
import type { Client } from '../client/client.js';
import type { ActivityFunction } from '../definitions/activity.js';
import type { Payload, ProtoFailure } from '../definitions/api.js';
import type { Headers } from '../definitions/interceptors.js';
import { composeInterceptors } from '../definitions/interceptors.js';
import type { Logger } from '../definitions/logger.js';
import { LoggerWithComposedMetadata } from '../definitions/logger.js';
import type { MetricMeter } from '../definitions/metrics.js';
import { noopMetricMeter, recorderInto, RecordingMetricMeter } from '../definitions/metrics.js';
import type { TypeInfo } from '../definitions/type-info.js';
import { encodeErrorToFailure, encodeToPayload } from '../payload/conversion.js';
import type { LoadedDataConverter } from '../payload/data-converter.js';
import { ApplicationFailure, CancelledFailure, ensureTemporalFailure, type TemporalFailure } from '../payload/failure.js';
import { toPayloadWithTypeInfo } from '../payload/payload-converter.js';
import type { ActivitySerializationContext } from '../payload/serialization-context.js';
import { activityLogAttributes, activityMetricTags, logOutcome } from './activity-log.js';
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory, ActivityOutboundCallsInterceptor } from './interceptors.js';

/** Why an activity is told to stop. */
export type CancelReason =
  | 'CANCELLED'
  | 'NOT_FOUND'
  | 'TIMED_OUT'
  | 'WORKER_SHUTDOWN'
  | 'PAUSED'
  | 'RESET'
  | 'HEARTBEAT_DETAILS_CONVERSION_FAILED';

/** What an attempt ended with. */
export type ActivityOutcome =
  | { kind: 'completed'; result: Payload }
  | { kind: 'failed'; failure: ProtoFailure }
  | { kind: 'cancelled'; failure: ProtoFailure }
  /** The function threw CompleteAsyncError. */
  | { kind: 'async' };

/** What all executions of a worker share. */
export interface ActivityEnvironment {
  converter: LoadedDataConverter;
  interceptors: readonly ActivityInterceptorsFactory[];
  logger: Logger;
  metricMeter: MetricMeter;
  client: Client | undefined;
}

export interface ActivityInput {
  info: Info;
  fn: ActivityFunction;
  args: unknown[];
  headers: Headers;
  outputType?: TypeInfo;
  heartbeat: (details: unknown) => void;
}

export function activityContext(
  info: Pick<Info, 'namespace' | 'activityId' | 'workflowExecution' | 'isLocal'>,
): ActivitySerializationContext {
  const { namespace, activityId, workflowExecution, isLocal } = info;
  return { type: 'activity', namespace, activityId, workflowId: workflowExecution?.workflowId, isLocal };
}

/** Runs an activity's function once. */
export class ActivityExecution {
  readonly context: Context;
  private cancelReason: CancelReason | undefined;
  private conversionError: unknown;
  private readonly cancellation = new Cancellation();
  private readonly inbound: ActivityInboundCallsInterceptor[];
  private readonly outbound: ActivityOutboundCallsInterceptor[];
  private readonly logger: Logger;

  constructor(
    private readonly env: ActivityEnvironment,
    private readonly input: ActivityInput,
  ) {
    const { info, heartbeat } = input;
    this.outbound = [];
    this.logger = LoggerWithComposedMetadata.compose(env.logger, () => this.logAttributes());
    this.context = new Context(info, this.cancellation, heartbeat, env.client, this.logger, this.metricMeter());
    const interceptors = env.interceptors.map((make) => make(this.context));
    this.inbound = interceptors.flatMap(({ inbound }) => inbound ?? []);
    this.outbound.push(...interceptors.flatMap(({ outbound }) => outbound ?? []));
  }

  /** Tells the activity to stop. Only the first reason counts. */
  cancel(reason: CancelReason, error?: unknown): void {
    if (this.cancelReason) return;
    this.cancelReason = reason;
    this.conversionError = error;
    this.cancellation.cancel(new CancelledFailure(reason, [], error instanceof Error ? error : undefined), {
      cancelRequested: reason === 'CANCELLED',
      notFound: reason === 'NOT_FOUND',
      timedOut: reason === 'TIMED_OUT',
      workerShutdown: reason === 'WORKER_SHUTDOWN',
      paused: reason === 'PAUSED',
      reset: reason === 'RESET',
    });
  }

  /** Runs the function. Never rejects. */
  run(): Promise<ActivityOutcome> {
    return asyncLocalStorage.run(this.context, () => this.execute());
  }

  private async execute(): Promise<ActivityOutcome> {
    const startedAt = performance.now();
    let outcome: ActivityOutcome;
    let error: unknown;
    try {
      const { payloadConverter, payloadCodecs } = this.env.converter;
      const { info, outputType } = this.input;
      const result = await this.call();
      const context = activityContext(info);
      const payload =
        payloadCodecs.length === 0
          ? toPayloadWithTypeInfo(payloadConverter, result, context, outputType)
          : await encodeToPayload(this.env.converter, result, context, outputType);
      outcome = { kind: 'completed', result: payload };
    } catch (err) {
      error = err;
      outcome = await this.failureOf(err);
    }
    logOutcome(this.logger, outcome.kind, error, performance.now() - startedAt);
    return outcome;
  }

  private call(): unknown {
    const { fn, args, headers } = this.input;
    if (this.inbound.length === 0) return fn(...args);
    const call = async (input: { args: unknown[] }): Promise<unknown> => fn(...input.args);
    return composeInterceptors(this.inbound, 'execute', call)({ args, headers });
  }

  private async failureOf(err: unknown): Promise<ActivityOutcome> {
    if (err instanceof Error && err.name === 'CompleteAsyncError') return { kind: 'async' };
    const isAbort = err instanceof Error && err.name === 'AbortError';
    if (this.cancelReason && (err instanceof CancelledFailure || isAbort)) {
      const replaced = this.failureInsteadOfCancellation();
      if (replaced) return { kind: 'failed', failure: await this.encode(replaced) };
      const cancelled = err instanceof CancelledFailure ? err : new CancelledFailure('Activity cancelled');
      return { kind: 'cancelled', failure: { ...(await this.encode(cancelled)), stackTrace: '' } };
    }
    return { kind: 'failed', failure: await this.encode(err) };
  }

  /** An activity is cancelled only when its workflow asked for it; stopped for other reasons it failed, and may be retried. */
  private failureInsteadOfCancellation(): TemporalFailure | undefined {
    switch (this.cancelReason) {
      case 'WORKER_SHUTDOWN':
        return ApplicationFailure.retryable('Worker is shutting down and this activity did not complete in time', 'WorkerShutdown');
      case 'PAUSED':
        return ApplicationFailure.retryable('Activity paused', 'ActivityPause');
      case 'RESET':
        return ApplicationFailure.retryable('Activity reset', 'ActivityReset');
      case 'HEARTBEAT_DETAILS_CONVERSION_FAILED':
        return ensureTemporalFailure(this.conversionError);
      default:
        return undefined;
    }
  }

  private async encode(err: unknown): Promise<ProtoFailure> {
    const context = activityContext(this.input.info);
    try {
      return await encodeErrorToFailure(this.env.converter, ensureTemporalFailure(err), context);
    } catch (conversionError) {
      // What cannot be converted must still be told: without its details, and saying why.
      const failure = ApplicationFailure.retryable(
        `Could not convert the activity's failure: ${String(conversionError)}`,
        'FailureConversion',
      );
      return encodeErrorToFailure({ ...this.env.converter, payloadCodecs: [] }, failure, context);
    }
  }

  /** Interceptors may add tags that are known only when a value is recorded. */
  private metricMeter(): MetricMeter {
    const { metricMeter, interceptors } = this.env;
    if (metricMeter === noopMetricMeter) return metricMeter;
    const tags = activityMetricTags(this.input.info);
    if (interceptors.length === 0) return metricMeter.withTags(tags);
    const tagsNow = () => composeInterceptors(this.outbound, 'getMetricTags', (input) => input)(tags);
    return new RecordingMetricMeter(recorderInto(metricMeter), [tagsNow]);
  }

  private logAttributes(): Record<string, unknown> {
    const base = activityLogAttributes(this.input.info);
    return this.outbound.length === 0 ? base : composeInterceptors(this.outbound, 'getLogAttributes', (input) => input)(base);
  }
}
