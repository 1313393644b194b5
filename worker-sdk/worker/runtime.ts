/** What all workers of a process share: where they log, what stops them. */
import type { Duration } from '../definitions/duration.js';
import { msToNumber } from '../definitions/duration.js';
import { IllegalStateError } from '../definitions/errors.js';
import type { Logger } from '../definitions/logger.js';
import type { MetricMeter } from '../definitions/metrics.js';
import { noopMetricMeter } from '../definitions/metrics.js';
import { DefaultLogger } from './logger.js';
import type { PrometheusOptions } from './prometheus.js';
import { PrometheusExporter } from './prometheus.js';

/** Options of {@link Runtime.install}. */
export interface RuntimeOptions {
  /** Receives what workers, workflows and activities log. Default: stderr, from INFO. */
  logger?: Logger;
  /** Receives metrics, for example {@link openTelemetryMetricMeter}. Default: nothing is recorded. */
  metricMeter?: MetricMeter;
  /** Instead of a {@link metricMeter}. */
  telemetryOptions?: TelemetryOptions;
  /**
   * How often workers tell the server how they are, where the server wants to know: 1 to 60 seconds, 0 for never. Default 60 seconds.
   */
  workerHeartbeatInterval?: Duration;
  /** Signals on which all workers shut down gracefully. Default SIGINT, SIGTERM, SIGQUIT, SIGUSR2. */
  shutdownSignals?: NodeJS.Signals[];
}

/** What is done with metrics, where no meter is given. */
export interface TelemetryOptions {
  /** Default: nothing is recorded. */
  metrics?: MetricsExporterConfig;
}

/** How metrics are exported. */
export type MetricsExporterConfig = {
  /** Instead of `temporal_`. */
  metricPrefix?: string;
  /** Added to every metric. */
  globalTags?: Record<string, string>;
} & PrometheusMetricsExporter;

/** Serves metrics for Prometheus to scrape. */
export interface PrometheusMetricsExporter {
  /** Where they are served, and how values are counted. */
  prometheus: Omit<PrometheusOptions, 'metricPrefix' | 'globalTags'>;
}

const DEFAULT_SIGNALS: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGUSR2'];

const HEARTBEAT_MS = 60_000;

function heartbeatMs(interval: Duration | undefined): number {
  const ms = interval === undefined ? HEARTBEAT_MS : msToNumber(interval);
  if (ms === 0 || (ms >= 1_000 && ms <= HEARTBEAT_MS)) return ms;
  throw new TypeError(`Invalid 'workerHeartbeatInterval': expected 0 or 1 to 60 seconds, got ${ms} ms`);
}

/** The process's runtime. Install one before the first worker, or take the default. */
export class Runtime {
  private static current: Runtime | undefined;

  /** As given, or the default. */
  readonly logger: Logger;
  /** As given, or that of {@link prometheus}, or one whose values go nowhere. */
  readonly metricMeter: MetricMeter;
  /** Set when metrics are served for Prometheus. */
  readonly prometheus: PrometheusExporter | undefined;
  /** @internal 0 for never. */
  readonly workerHeartbeatMs: number;
  private readonly shutdownSignals: NodeJS.Signals[];
  private readonly callbacks = new Set<() => void>();
  private readonly onSignal = () => {
    for (const callback of [...this.callbacks]) callback();
  };

  private constructor(
    /** As given. */
    readonly options: RuntimeOptions,
  ) {
    this.logger = options.logger ?? new DefaultLogger('INFO');
    const metrics = options.telemetryOptions?.metrics;
    if (metrics && options.metricMeter) throw new TypeError("Either 'metricMeter' or 'telemetryOptions.metrics' may be set, not both");
    this.prometheus =
      metrics && new PrometheusExporter({ ...metrics.prometheus, metricPrefix: metrics.metricPrefix, globalTags: metrics.globalTags });
    this.prometheus?.ready().catch((err) => this.logger.error('Metrics cannot be served', { error: err }));
    this.metricMeter = options.metricMeter ?? this.prometheus?.meter ?? noopMetricMeter;
    this.workerHeartbeatMs = heartbeatMs(options.workerHeartbeatInterval);
    this.shutdownSignals = options.shutdownSignals ?? DEFAULT_SIGNALS;
  }

  /**
   * Makes the process's runtime with these options.
   * @throws {@link IllegalStateError} when there is one already.
   */
  static install(options: RuntimeOptions): Runtime {
    if (Runtime.current) throw new IllegalStateError('Runtime was already installed: call Runtime.install() once, before the first Worker');
    Runtime.current = new Runtime(options);
    return Runtime.current;
  }

  /** The process's runtime; made with the defaults when there is none. */
  static instance(): Runtime {
    Runtime.current ??= new Runtime({});
    return Runtime.current;
  }

  /** Forgets the process's runtime, so that another can be installed. */
  async shutdown(): Promise<void> {
    if (Runtime.current === this) Runtime.current = undefined;
    await this.prometheus?.close();
  }

  /** Calls back when a shutdown signal comes. */
  registerShutdownSignalCallback(callback: () => void): void {
    // The handlers are there only while a worker runs: they keep Node from ending the process by itself.
    if (this.callbacks.size === 0) for (const signal of this.shutdownSignals) process.on(signal, this.onSignal);
    this.callbacks.add(callback);
  }

  /** Takes back {@link registerShutdownSignalCallback}. */
  deregisterShutdownSignalCallback(callback: () => void): void {
    if (!this.callbacks.delete(callback) || this.callbacks.size > 0) return;
    for (const signal of this.shutdownSignals) process.off(signal, this.onSignal);
  }
}
