/**
 * `@perdure/sdk/activity`: what an activity may ask of its worker.
 *
 * @example
 * import { heartbeat, sleep } from '@perdure/sdk/activity';
 *
 * export async function importRows(file: string): Promise<number> {
 *   const { heartbeatDetails } = activityInfo();
 *   for (let row = heartbeatDetails ?? 0; row < total; row++) {
 *     await importRow(file, row);
 *     heartbeat(row);
 *   }
 *   return total;
 * }
 * @module
 */
import type { Client } from '../client/client.js';
import type { ActivityDefinitionOptions, ActivityFunction } from '../definitions/activity.js';
import type { Duration } from '../definitions/duration.js';
import type { Logger, LogLevel, LogMetadata } from '../definitions/logger.js';
import type { MetricMeter } from '../definitions/metrics.js';
import type { ActivityCancellationDetails } from './cancellation-details.js';
import { Context } from './context.js';
import type { Info } from './info.js';

export type { ActivityDefinitionOptions, ActivityFunction, ActivityTypeInfoMap, UntypedActivities } from '../definitions/activity.js';
export { CompleteAsyncError } from '../definitions/errors.js';
export { ApplicationFailure, CancelledFailure } from '../payload/failure.js';
export { ActivityCancellationDetails } from './cancellation-details.js';
export { asyncLocalStorage, Context } from './context.js';
export type { Info } from './info.js';

/** Attaches options, such as type information, to an activity function. */
export function setActivityOptions<Args extends unknown[], ReturnType>(
  options: ActivityDefinitionOptions,
  fn: ActivityFunction<Args, ReturnType>,
): void {
  Object.assign(fn, { activityDefinitionOptions: options });
}

/** The activity that runs. */
export function activityInfo(): Info {
  return Context.current().info;
}

/** Waits; rejects with a CancelledFailure when the activity is cancelled first. */
export function sleep(ms: Duration): Promise<void> {
  return Context.current().sleep(ms);
}

/** Sends a heartbeat; see {@link Context.heartbeat}. */
export function heartbeat(details?: unknown): void {
  Context.current().heartbeat(details);
}

/** Rejects with a CancelledFailure when the activity is cancelled. Only an activity that heartbeats learns of it. */
export function cancelled(): Promise<never> {
  return Context.current().cancelled;
}

/** Why the activity was cancelled; undefined while it is not. */
export function cancellationDetails(): ActivityCancellationDetails | undefined {
  return Context.current().cancellationDetails;
}

/** Aborts when the activity is cancelled. Only an activity that heartbeats learns of it. */
export function cancellationSignal(): AbortSignal {
  return Context.current().cancellationSignal;
}

/** A client for the worker's namespace. */
export function getClient(): Client {
  return Context.current().client;
}

/** Logs with the activity's attributes. */
export const log: Logger = {
  log: (level: LogLevel, message: string, meta?: LogMetadata) => Context.current().log.log(level, message, meta),
  trace: (message: string, meta?: LogMetadata) => Context.current().log.trace(message, meta),
  debug: (message: string, meta?: LogMetadata) => Context.current().log.debug(message, meta),
  info: (message: string, meta?: LogMetadata) => Context.current().log.info(message, meta),
  warn: (message: string, meta?: LogMetadata) => Context.current().log.warn(message, meta),
  error: (message: string, meta?: LogMetadata) => Context.current().log.error(message, meta),
};

/** Metrics with the activity's tags. */
export const metricMeter: MetricMeter = {
  createCounter: (name, unit, description) => Context.current().metricMeter.createCounter(name, unit, description),
  createHistogram: (name, valueType, unit, description) =>
    Context.current().metricMeter.createHistogram(name, valueType, unit, description),
  createGauge: (name, valueType, unit, description) => Context.current().metricMeter.createGauge(name, valueType, unit, description),
  createUpDownCounter: (name, unit, description) => Context.current().metricMeter.createUpDownCounter(name, unit, description),
  withTags: (tags) => Context.current().metricMeter.withTags(tags),
};
