/** What is logged about each activity: its attributes, and how it ended. */
import type { Info } from '../activity/info.js';
import type { Logger } from '../definitions/logger.js';
import { SdkComponent } from '../definitions/logger.js';
import type { MetricTags } from '../definitions/metrics.js';
import { ApplicationFailure } from '../payload/failure.js';

/** Attributes of every entry of an activity. */
export function activityLogAttributes(info: Info): Record<string, unknown> {
  return {
    sdkComponent: SdkComponent.activity,
    isLocal: info.isLocal,
    attempt: info.attempt,
    namespace: info.namespace,
    workflowId: info.workflowExecution?.workflowId ?? '',
    workflowRunId: info.workflowExecution?.runId ?? '',
    workflowType: info.workflowType ?? '',
    activityId: info.activityId,
    activityType: info.activityType,
    taskQueue: info.taskQueue,
  };
}

/** Tags of every metric of an activity. */
export function activityMetricTags(info: Info): MetricTags {
  return { namespace: info.namespace, taskQueue: info.taskQueue, activityType: info.activityType };
}

/** Logs the end of an activity; failures that are expected (category BENIGN) quietly. */
export function logOutcome(logger: Logger, kind: string, error: unknown, durationMs: number): void {
  if (kind === 'completed') logger.debug('Activity completed', { durationMs });
  else if (kind === 'async') logger.debug('Activity will complete asynchronously', { durationMs });
  else if (kind === 'cancelled') logger.debug('Activity completed as cancelled', { durationMs });
  else if (error instanceof ApplicationFailure && error.category === 'BENIGN') logger.debug('Activity failed', { error, durationMs });
  else logger.warn('Activity failed', { error, durationMs });
}
