/** Which failed calls are tried again, and after what pause: the field's rules. */
import type { StatusObject } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { askedRetryMs } from './grpc-error.js';

/** How failed attempts are retried. */
export interface GrpcRetryOptions {
  /** Milliseconds to wait before the next attempt; `attempt` is the number of the one that failed, from 1. */
  delayFunction: (attempt: number, status: StatusObject) => number;
  /** Whether to try again. */
  retryableDecider: (attempt: number, status: StatusObject) => boolean;
}

/** The formula of the pause: `initialIntervalMs * factor ^ (attempt - 1)`, at most `maxIntervalMs`, with jitter. */
export interface BackoffOptions {
  /** Default 1.7. */
  factor: number;
  /** Attempts in all, default 10. */
  maxAttempts: number;
  /** Share by which a pause varies, default 0.2. */
  maxJitter: number;
  /** Default 1 second for RESOURCE_EXHAUSTED, 100 ms for the rest. */
  initialIntervalMs(status: StatusObject): number;
  /** Default 5 seconds. */
  maxIntervalMs(status: StatusObject): number;
}

/** Codes after which the same request may well succeed. Cancelled and expired calls are the caller's own wish. */
const RETRYABLE: ReadonlySet<status> = new Set([
  status.UNKNOWN,
  status.RESOURCE_EXHAUSTED,
  status.UNAVAILABLE,
  status.ABORTED,
  status.DATA_LOSS,
  status.OUT_OF_RANGE,
]);

/** What a message over a size limit is answered with, by servers and transports: the same bytes would fail again. */
const TOO_LARGE = /larger than max|message size exceeded|exceeds (?:size )?limit/i;

/** Whether a failed attempt is worth another. */
export function isRetryableError(failed: StatusObject): boolean {
  // A stream reset in the middle, as proxies do when they restart.
  if (failed.code === status.INTERNAL) return /RST_STREAM/i.test(failed.details);
  if (failed.code === status.RESOURCE_EXHAUSTED && TOO_LARGE.test(failed.details)) return false;
  return RETRYABLE.has(failed.code);
}

/** The default rules, with what `options` overrides. */
export function defaultGrpcRetryOptions(options: Partial<BackoffOptions> = {}): GrpcRetryOptions {
  const { factor = 1.7, maxAttempts = 10, maxJitter = 0.2 } = options;
  const initialIntervalMs = options.initialIntervalMs ?? ((failed) => (failed.code === status.RESOURCE_EXHAUSTED ? 1_000 : 100));
  const maxIntervalMs = options.maxIntervalMs ?? (() => 5_000);
  return {
    delayFunction(attempt, failed) {
      const ms = Math.min(maxIntervalMs(failed), initialIntervalMs(failed) * factor ** (attempt - 1));
      return Math.max(ms * (1 - maxJitter + Math.random() * 2 * maxJitter), askedRetryMs(failed) ?? 0);
    },
    retryableDecider: (attempt, failed) => attempt < maxAttempts && isRetryableError(failed),
  };
}

/** No retries: for polls, whose loops have rules of their own. */
export const NO_RETRY: GrpcRetryOptions = { delayFunction: () => 0, retryableDecider: () => false };

/** Retries for as long as the code is a passing one: for results that must reach the server. */
export const RETRY_UNTIL_CONFIRMED: GrpcRetryOptions = defaultGrpcRetryOptions({ maxAttempts: Number.POSITIVE_INFINITY });

/** While a server starts, its port may be closed or it may say that it is not ready: ask again soon, until the deadline. */
export const RETRY_WHILE_STARTING: GrpcRetryOptions = {
  delayFunction: (attempt) => Math.min(1_000, 50 * 1.5 ** (attempt - 1)),
  retryableDecider: (_attempt, failed) => failed.code === status.UNAVAILABLE,
};
