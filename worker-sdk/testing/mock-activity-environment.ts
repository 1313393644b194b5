/** Runs activity functions in a test, without a worker or a server. */
import { EventEmitter } from 'node:events';
import { Cancellation } from '../activity/cancellation.js';
import type { ActivityCancellationDetailsOptions } from '../activity/cancellation-details.js';
import { asyncLocalStorage, Context } from '../activity/context.js';
import type { Info } from '../activity/info.js';
import type { Client } from '../client/client.js';
import type { ActivityFunction } from '../definitions/activity.js';
import type { Logger } from '../definitions/logger.js';
import { composeInterceptors } from '../definitions/interceptors.js';
import type { MetricMeter } from '../definitions/metrics.js';
import { noopMetricMeter } from '../definitions/metrics.js';
import { CancelledFailure } from '../payload/failure.js';
import type { ActivityInterceptorsFactory } from '../worker/interceptors.js';
import { DefaultLogger } from '../worker/logger.js';

/** What the context of a mocked activity is made with. */
export interface MockActivityEnvironmentOptions {
  /** Interceptors to run around the activity. */
  interceptors?: ActivityInterceptorsFactory[];
  /** Default: warnings and errors to stderr. */
  logger?: Logger;
  /** Default: metrics go nowhere. */
  metricMeter?: MetricMeter;
  /** What `Context.current().client` answers. Default: asking for it throws. */
  client?: Client;
}

/** The info that a mocked activity has, as far as the test does not say otherwise. */
export const defaultActivityInfo: Info = {
  attempt: 1,
  taskQueue: 'test',
  isLocal: false,
  inWorkflow: true,
  taskToken: Buffer.from('test'),
  base64TaskToken: Buffer.from('test').toString('base64'),
  activityId: 'test',
  activityType: 'unknown',
  activityNamespace: 'default',
  namespace: 'default',
  workflowNamespace: 'default',
  workflowType: 'test',
  workflowExecution: { workflowId: 'test', runId: 'dead-beef' },
  scheduledTimestampMs: 1,
  currentAttemptScheduledTimestampMs: 1,
  scheduleToCloseTimeoutMs: 0,
  startToCloseTimeoutMs: 0,
  heartbeatDetails: undefined,
};

/**
 * Runs activity functions with a context of their own. Emits `heartbeat` with the details of each heartbeat.
 *
 * @example
 * const env = new MockActivityEnvironment({ attempt: 2 });
 * env.on('heartbeat', (details) => seen.push(details));
 * expect(await env.run(importRows, 'rows.csv')).toBe(120);
 */
export class MockActivityEnvironment extends EventEmitter {
  /** The context that activities run in. */
  readonly context: Context;
  /** Cancels the activity, by default as if its workflow had asked for it. */
  readonly cancel: (reason?: string, details?: ActivityCancellationDetailsOptions) => void;
  private readonly interceptors: ActivityInterceptorsFactory[];

  constructor(info: Partial<Info> = {}, options: MockActivityEnvironmentOptions = {}) {
    super();
    this.interceptors = options.interceptors ?? [];
    const cancellation = new Cancellation();
    this.cancel = (reason = 'CANCELLED', details = { cancelRequested: true }) => cancellation.cancel(new CancelledFailure(reason), details);
    this.context = new Context(
      { ...defaultActivityInfo, ...info },
      cancellation,
      (details) => this.emit('heartbeat', details),
      options.client,
      options.logger ?? new DefaultLogger('WARN'),
      options.metricMeter ?? noopMetricMeter,
    );
  }

  /** Runs an activity function within the context. */
  async run<P extends unknown[], R>(fn: ActivityFunction<P, R> | ((...args: P) => R), ...args: P): Promise<R> {
    const inbound = this.interceptors.flatMap((make) => make(this.context).inbound ?? []);
    const next = composeInterceptors(inbound, 'execute', async (input) => fn(...(input.args as P)));
    return asyncLocalStorage.run(this.context, () => next({ args, headers: {} })) as Promise<R>;
  }
}
