/** Metrics of workflow code. Values recorded while history is replayed go nowhere. */
import { type Metric, type MetricMeter, RecordingMetricMeter } from '../definitions/metrics.js';
import { currentRun } from './current-run.js';
import type { GetMetricTagsInput } from './interceptors.js';

/** The sink that takes values to the worker's meter. */
export const METRICS_SINK = '__temporal_metrics';

/**
 * Makes metrics that carry namespace, task queue and workflow type as tags.
 *
 * @example
 * ```ts
 * const refunds = metricMeter.createCounter('refunds', 'refunds', 'Refunds made');
 * refunds.add(1);
 * ```
 */
export const metricMeter: MetricMeter = new RecordingMetricMeter(
  (metric: Metric, value, tags) => {
    const run = currentRun('metricMeter');
    if (run.facts.unsafe.isReplayingHistoryEvents) return;
    const { name, unit, description, kind, valueType } = metric;
    run.sinkCalls.push({
      ifaceName: METRICS_SINK,
      fnName: 'record',
      args: [{ name, unit, description, kind, valueType }, value, { ...tags }],
      workflowInfo: run.info,
    });
  },
  [
    () => {
      const run = currentRun('metricMeter');
      const { namespace, taskQueue, workflowType } = run.facts;
      const own = { namespace, taskQueue, workflowType };
      return { ...run.intercept(run.outbound, 'getMetricTags', (tags: GetMetricTagsInput) => tags)({}), ...own };
    },
  ],
);
