/** Metrics in the text form that Prometheus scrapes, kept in memory, served on a port of their own. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metric, MetricMeter, MetricTags } from '../definitions/metrics.js';
import { RecordingMetricMeter } from '../definitions/metrics.js';

/** How metrics are named, tagged and served. */
export interface PrometheusOptions {
  /** `host:port` to serve `/metrics` on. */
  bindAddress: string;
  /** Replaces the prefix `temporal_` of the SDK's own metrics. */
  metricPrefix?: string;
  /** Added to every metric. */
  globalTags?: Record<string, string>;
  /** Record durations in seconds rather than milliseconds. */
  useSecondsForDurations?: boolean;
  /** Append the unit to names. */
  unitSuffix?: boolean;
  /** Append `_total` to names of counters. */
  countersTotalSuffix?: boolean;
  /** Upper bounds of buckets, by name of the metric. */
  histogramBucketOverrides?: Record<string, number[]>;
}

const SDK_PREFIX = 'temporal_';
const DURATION_BUCKETS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 600_000, 3_600_000];
const VALUE_BUCKETS = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];

interface Histogram {
  counts: number[];
  sum: number;
  count: number;
}

interface Family {
  kind: Metric['kind'];
  help: string;
  bounds: number[];
  /** By label text. */
  values: Map<string, number>;
  histograms: Map<string, Histogram>;
}

/** Collects metrics and serves them. */
export class PrometheusExporter {
  readonly meter: MetricMeter;
  private readonly families = new Map<string, Family>();
  private readonly server: http.Server;
  private readonly listening: Promise<string>;

  constructor(private readonly options: PrometheusOptions) {
    this.meter = new RecordingMetricMeter((metric, value, tags) => this.record(metric, value, tags));
    this.server = http.createServer((request, response) => {
      if (request.url !== '/metrics') return response.writeHead(404).end();
      return response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(this.render());
    });
    const { hostname, port } = new URL(`http://${options.bindAddress}`);
    this.listening = new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(Number(port), hostname.replace(/^\[|\]$/g, ''), () => {
        const { address, port: bound } = this.server.address() as AddressInfo;
        resolve(`http://${address.includes(':') ? `[${address}]` : address}:${bound}/metrics`);
      });
    });
    // Metrics must not keep a process from ending.
    this.server.unref();
  }

  /** Where metrics are served, once they are. Rejects when the address cannot be had. */
  ready(): Promise<string> {
    return this.listening;
  }

  /** Stops serving. */
  async close(): Promise<void> {
    await this.listening.catch(() => undefined);
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** All metrics as text. */
  render(): string {
    const lines: string[] = [];
    for (const [name, family] of this.families) {
      if (family.help) lines.push(`# HELP ${name} ${family.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`);
      lines.push(`# TYPE ${name} ${family.kind === 'up-down-counter' ? 'gauge' : family.kind}`);
      for (const [labels, value] of family.values) lines.push(`${name}${braces(labels)} ${value}`);
      for (const [labels, histogram] of family.histograms) lines.push(...renderHistogram(name, labels, family.bounds, histogram));
    }
    return `${lines.join('\n')}\n`;
  }

  private record(metric: Metric, value: number, tags: MetricTags): void {
    const isDuration = metric.unit === 'ms';
    const inSeconds = isDuration && this.options.useSecondsForDurations;
    const family = this.familyOf(metric, isDuration);
    const labels = labelText({ ...this.options.globalTags, ...tags });
    const scaled = inSeconds ? value / 1000 : value;
    if (metric.kind === 'histogram') observe(family, labels, scaled);
    else if (metric.kind === 'gauge') family.values.set(labels, scaled);
    else family.values.set(labels, (family.values.get(labels) ?? 0) + scaled);
  }

  private familyOf(metric: Metric, isDuration: boolean): Family {
    const name = this.nameOf(metric);
    let family = this.families.get(name);
    if (!family) {
      const seconds = isDuration && this.options.useSecondsForDurations;
      const usual = isDuration ? DURATION_BUCKETS_MS.map((ms) => (seconds ? ms / 1000 : ms)) : VALUE_BUCKETS;
      const bounds = this.options.histogramBucketOverrides?.[metric.name] ?? usual;
      family = { kind: metric.kind, help: metric.description ?? '', bounds, values: new Map(), histograms: new Map() };
      this.families.set(name, family);
    }
    return family;
  }

  private nameOf({ name, kind, unit }: Metric): string {
    const { metricPrefix = SDK_PREFIX, unitSuffix, countersTotalSuffix, useSecondsForDurations } = this.options;
    let full = name.startsWith(SDK_PREFIX) ? metricPrefix + name.slice(SDK_PREFIX.length) : name;
    if (unitSuffix && unit) full += `_${unit !== 'ms' ? unit : useSecondsForDurations ? 'seconds' : 'milliseconds'}`;
    if (countersTotalSuffix && kind === 'counter') full += '_total';
    return full.replace(/[^a-zA-Z0-9_:]/g, '_');
  }
}

function observe(family: Family, labels: string, value: number): void {
  let histogram = family.histograms.get(labels);
  if (!histogram) {
    histogram = { counts: family.bounds.map(() => 0), sum: 0, count: 0 };
    family.histograms.set(labels, histogram);
  }
  histogram.sum += value;
  histogram.count++;
  const bucket = family.bounds.findIndex((bound) => value <= bound);
  if (bucket >= 0) histogram.counts[bucket]!++;
}

function renderHistogram(name: string, labels: string, bounds: number[], { counts, sum, count }: Histogram): string[] {
  const separator = labels ? ',' : '';
  let below = 0;
  const buckets = bounds.map((bound, i) => {
    below += counts[i]!;
    return `${name}_bucket{${labels}${separator}le="${bound}"} ${below}`;
  });
  return [
    ...buckets,
    `${name}_bucket{${labels}${separator}le="+Inf"} ${count}`,
    `${name}_sum${braces(labels)} ${sum}`,
    `${name}_count${braces(labels)} ${count}`,
  ];
}

const braces = (labels: string) => (labels ? `{${labels}}` : '');

function labelText(tags: MetricTags): string {
  return Object.keys(tags)
    .sort()
    .map(
      (key) =>
        `${key.replace(/[^a-zA-Z0-9_]/g, '_')}="${String(tags[key]).replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))}"`,
    )
    .join(',');
}
