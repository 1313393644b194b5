/** A meter over OpenTelemetry's, without depending on its packages: the program that uses them hands one over. */
import type { Metric, MetricMeter, MetricTags } from '../definitions/metrics.js';
import { RecordingMetricMeter } from '../definitions/metrics.js';

interface InstrumentOptions {
  unit?: string;
  description?: string;
}

/**
 * The part of `Meter` of `@opentelemetry/api` that is used here: `createCounter` and `createUpDownCounter`, to `add` to, `createHistogram` and `createGauge`, to
 * `record` with. Each metric is made once.
 */
export interface OpenTelemetryMeter {
  createCounter(name: string, options?: InstrumentOptions): { add(value: number, attributes?: MetricTags): void };
  createUpDownCounter(name: string, options?: InstrumentOptions): { add(value: number, attributes?: MetricTags): void };
  createHistogram(name: string, options?: InstrumentOptions): { record(value: number, attributes?: MetricTags): void };
  createGauge(name: string, options?: InstrumentOptions): { record(value: number, attributes?: MetricTags): void };
}

type Record = (value: number, tags: MetricTags) => void;

/**
 * A metric meter that records by OpenTelemetry.
 *
 * @example
 * import { metrics } from '@opentelemetry/api';
 * Runtime.install({ metricMeter: openTelemetryMetricMeter(metrics.getMeter('worker')) });
 */
export function openTelemetryMetricMeter(meter: OpenTelemetryMeter): MetricMeter {
  const instruments = new Map<string, Record>();
  const make = ({ kind, name, unit, description }: Metric): Record => {
    const options = { unit, description };
    if (kind === 'counter' || kind === 'up-down-counter') {
      const counter = kind === 'counter' ? meter.createCounter(name, options) : meter.createUpDownCounter(name, options);
      return (value, tags) => counter.add(value, tags);
    }
    const instrument = kind === 'gauge' ? meter.createGauge(name, options) : meter.createHistogram(name, options);
    return (value, tags) => instrument.record(value, tags);
  };
  return new RecordingMetricMeter((metric, value, tags) => {
    let record = instruments.get(metric.name);
    if (!record) {
      record = make(metric);
      instruments.set(metric.name, record);
    }
    record(value, tags);
  });
}
