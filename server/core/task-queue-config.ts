/** What operators set for a task queue: how fast it hands out tasks, and how its tenants (fairness keys) are weighed. */
import { enums, type temporal, toTimestamp } from './api.js';

type ApiConfig = temporal.api.taskqueue.v1.ITaskQueueConfig;
type ApiRateLimit = temporal.api.taskqueue.v1.IRateLimitConfig;

/** A rate limit and who set it, when and why; without a rate: who took it away. */
export interface StoredRateLimit {
  readonly perSecond: number | null;
  readonly reason: string;
  readonly identity: string;
  readonly updatedMs: number;
}

export interface TaskQueueConfig {
  /** Tasks a second of the whole queue. */
  readonly queue: StoredRateLimit | null;
  /** Tasks a second of each fairness key of weight 1. */
  readonly fairnessKey: StoredRateLimit | null;
  /** Weights that go before those of the tasks. */
  readonly weights: Readonly<Record<string, number>>;
}

export const NO_CONFIG: TaskQueueConfig = { queue: null, fairnessKey: null, weights: {} };

const SOURCE = enums.RateLimitSource;

export interface EffectiveRate {
  /** Undefined: there is no limit. */
  readonly perSecond: number | undefined;
  /** temporal.api.enums.v1.RateLimitSource. */
  readonly source: number;
}

/** What operators set goes before what workers ask for. `workerPerSecond` is that of the latest poll. */
export function effectiveRate(config: TaskQueueConfig, workerPerSecond: number | undefined): EffectiveRate {
  const perSecond = config.queue?.perSecond ?? undefined;
  if (perSecond !== undefined) return { perSecond, source: SOURCE.RATE_LIMIT_SOURCE_API };
  if (workerPerSecond !== undefined) return { perSecond: workerPerSecond, source: SOURCE.RATE_LIMIT_SOURCE_WORKER };
  return { perSecond: undefined, source: SOURCE.RATE_LIMIT_SOURCE_SYSTEM };
}

const rateLimitToApi = ({ perSecond, reason, identity, updatedMs }: StoredRateLimit): ApiRateLimit => ({
  rateLimit: perSecond === null ? undefined : { requestsPerSecond: perSecond },
  metadata: { reason, updateIdentity: identity, updateTime: toTimestamp(updatedMs) },
});

export const taskQueueConfigToApi = ({ queue, fairnessKey, weights }: TaskQueueConfig): ApiConfig => ({
  queueRateLimit: queue ? rateLimitToApi(queue) : undefined,
  fairnessKeysRateLimitDefault: fairnessKey ? rateLimitToApi(fairnessKey) : undefined,
  fairnessWeightOverrides: { ...weights },
});
