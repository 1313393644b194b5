/** Metrics that workflows and activities emit: the meter's interface, one that does nothing, and one that adds tags. */

export type MetricTags = Record<string, string | number | boolean>;
/** Whole numbers or any. */
export type NumericMetricValueType = 'int' | 'float';
/** What a metric does with its values. */
export type MetricKind = 'counter' | 'histogram' | 'gauge' | 'up-down-counter';

/** What every metric has: `name`, `description` for people, and its `kind`. */
export interface Metric {
  name: string;
  /** For example `ms`; absent for plain counts. */
  unit?: string;
  description?: string;
  kind: MetricKind;
  /** Counters are whole numbers; histograms and gauges as they are made, by default whole numbers. */
  valueType: NumericMetricValueType;
}

/** A value that only grows. */
export interface MetricCounter extends Metric {
  /** At least 0. @param extraTags laid over the metric's own */
  add(value: number, extraTags?: MetricTags): void;
  /** The same metric, its values tagged with these too. */
  withTags(tags: MetricTags): MetricCounter;
  kind: 'counter';
  valueType: 'int';
}

/** A distribution of values. */
export interface MetricHistogram extends Metric {
  /** One value. @param extraTags laid over the metric's own */
  record(value: number, extraTags?: MetricTags): void;
  /** The same metric, its values tagged with these too. */
  withTags(tags: MetricTags): MetricHistogram;
  kind: 'histogram';
}

/** A value at present. */
export interface MetricGauge extends Metric {
  /** Replaces the value of the same tags. @param extraTags laid over the metric's own */
  set(value: number, extraTags?: MetricTags): void;
  /** The same metric, its values tagged with these too. */
  withTags(tags: MetricTags): MetricGauge;
  kind: 'gauge';
}

/** A value that grows and shrinks by deltas. */
export interface MetricUpDownCounter extends Metric {
  /** Negative to shrink. @param extraTags laid over the metric's own */
  add(value: number, extraTags?: MetricTags): void;
  /** The same metric, its values tagged with these too. */
  withTags(tags: MetricTags): MetricUpDownCounter;
  kind: 'up-down-counter';
  valueType: 'int';
}

/** Makes metrics. */
export interface MetricMeter {
  /** A metric that only grows. */
  createCounter(name: string, unit?: string, description?: string): MetricCounter;
  /** A metric that counts values by size. */
  createHistogram(name: string, valueType?: NumericMetricValueType, unit?: string, description?: string): MetricHistogram;
  /** A metric that shows the last value. */
  createGauge(name: string, valueType?: NumericMetricValueType, unit?: string, description?: string): MetricGauge;
  /** A metric that grows and shrinks. */
  createUpDownCounter(name: string, unit?: string, description?: string): MetricUpDownCounter;
  /** A meter whose metrics carry these tags too. */
  withTags(tags: MetricTags): MetricMeter;
}

/** Takes one value of a metric: where meters differ from each other. */
export type MetricRecorder = (metric: Metric, value: number, tags: MetricTags) => void;

/** Tags, or how to make them when a value is recorded. */
export type MetricTagsOrFunc = MetricTags | (() => MetricTags);

/** A meter that hands every value to one function. */
export class RecordingMetricMeter implements MetricMeter {
  constructor(
    private readonly record: MetricRecorder,
    private readonly contributors: readonly MetricTagsOrFunc[] = [],
  ) {}

  /** A metric that only grows. */
  createCounter(name: string, unit?: string, description?: string): MetricCounter {
    return this.metric({ kind: 'counter', valueType: 'int', name, unit, description }, 'add') as MetricCounter;
  }
  /** A metric that counts values by size. */
  createHistogram(name: string, valueType: NumericMetricValueType = 'int', unit?: string, description?: string): MetricHistogram {
    return this.metric({ kind: 'histogram', valueType, name, unit, description }, 'record') as MetricHistogram;
  }
  /** A metric that shows the last value. */
  createGauge(name: string, valueType: NumericMetricValueType = 'int', unit?: string, description?: string): MetricGauge {
    return this.metric({ kind: 'gauge', valueType, name, unit, description }, 'set') as MetricGauge;
  }
  /** A metric that grows and shrinks. */
  createUpDownCounter(name: string, unit?: string, description?: string): MetricUpDownCounter {
    return this.metric({ kind: 'up-down-counter', valueType: 'int', name, unit, description }, 'add') as MetricUpDownCounter;
  }
  withTags(tags: MetricTags): MetricMeter {
    return this.withContributor(tags);
  }

  /** A meter that adds tags which are computed for each value. */
  withContributor(tags: MetricTagsOrFunc): RecordingMetricMeter {
    return new RecordingMetricMeter(this.record, [...this.contributors, tags]);
  }

  private metric(metric: Metric, verb: 'add' | 'record' | 'set', own: readonly MetricTags[] = []): Metric {
    const emit = (value: number, extraTags?: MetricTags) => {
      const parts = this.contributors.map((part) => (typeof part === 'function' ? part() : part));
      this.record(metric, value, Object.assign({}, ...parts, ...own, extraTags));
    };
    return { ...metric, [verb]: emit, withTags: (tags: MetricTags) => this.metric(metric, verb, [...own, tags]) } as Metric;
  }
}

/** Hands values to a meter, each metric made once. */
export function recorderInto(meter: MetricMeter): MetricRecorder {
  const recorders = new Map<string, (value: number, tags: MetricTags) => void>();
  return (metric, value, tags) => {
    const key = `${metric.kind} ${metric.name}`;
    let record = recorders.get(key);
    if (!record) {
      record = recorderOf(meter, metric);
      recorders.set(key, record);
    }
    record(value, tags);
  };
}

function recorderOf(meter: MetricMeter, { name, kind, valueType, unit, description }: Metric): (value: number, tags: MetricTags) => void {
  if (kind === 'counter') {
    const counter = meter.createCounter(name, unit, description);
    return (value, tags) => counter.add(value, tags);
  }
  if (kind === 'histogram') {
    const histogram = meter.createHistogram(name, valueType, unit, description);
    return (value, tags) => histogram.record(value, tags);
  }
  if (kind === 'gauge') {
    const gauge = meter.createGauge(name, valueType, unit, description);
    return (value, tags) => gauge.set(value, tags);
  }
  const upDown = meter.createUpDownCounter(name, unit, description);
  return (value, tags) => upDown.add(value, tags);
}

/** A meter whose metrics go nowhere. */
export const noopMetricMeter: MetricMeter = new RecordingMetricMeter(() => undefined);
