/** How often and after which pauses a failed activity or workflow is tried again. */
import type { temporal } from './api.js';
import type { Duration } from './duration.js';
import { msOptionalToNumber, msOptionalToTs, msToNumber, optionalTsToMs } from './duration.js';
import { ValueError } from './errors.js';

/** Retry policy of an activity or workflow. */
export interface RetryPolicy {
  /** Each pause is this many times the one before. At least 1, default 2. */
  backoffCoefficient?: number;
  /** First pause, default 1 second. */
  initialInterval?: Duration;
  /** Attempts in all, the first included. Default: no limit. */
  maximumAttempts?: number;
  /** Longest pause, default 100 times the first. */
  maximumInterval?: Duration;
  /** `type`s of ApplicationFailure that are final. */
  nonRetryableErrorTypes?: string[];
}

/**
 * RetryPolicy -> RetryPolicy message.
 * @throws {@link ValueError} naming the field that is out of range.
 */
export function compileRetryPolicy(policy: RetryPolicy): temporal.api.common.v1.IRetryPolicy {
  const { backoffCoefficient, maximumAttempts, nonRetryableErrorTypes } = policy;
  const initialMs = msOptionalToNumber(policy.initialInterval);
  const maximumMs = msOptionalToNumber(policy.maximumInterval);
  const bad = (field: string, expected: string, got: unknown): never => {
    throw new ValueError(`Invalid RetryPolicy.${field}: expected ${expected}, got ${String(got)}`);
  };
  if (backoffCoefficient !== undefined && backoffCoefficient <= 0) bad('backoffCoefficient', 'a number above 0', backoffCoefficient);
  if (initialMs !== undefined && initialMs <= 0) bad('initialInterval', 'a duration above 0', policy.initialInterval);
  if (maximumMs !== undefined && maximumMs <= 0) bad('maximumInterval', 'a duration above 0', policy.maximumInterval);
  if (maximumMs !== undefined && maximumMs < (initialMs ?? msToNumber('1s'))) {
    bad('maximumInterval', 'at least initialInterval', policy.maximumInterval);
  }
  // Infinity is how people say "no limit"; on the wire that is 0, so 0 itself cannot be asked for.
  if (maximumAttempts !== undefined && maximumAttempts !== Number.POSITIVE_INFINITY) {
    if (!Number.isInteger(maximumAttempts) || maximumAttempts <= 0) bad('maximumAttempts', 'a positive integer', maximumAttempts);
  }
  return {
    maximumAttempts: maximumAttempts === Number.POSITIVE_INFINITY ? undefined : maximumAttempts,
    initialInterval: msOptionalToTs(policy.initialInterval),
    maximumInterval: msOptionalToTs(policy.maximumInterval),
    backoffCoefficient,
    nonRetryableErrorTypes,
  };
}

/** RetryPolicy message -> RetryPolicy; undefined when absent. */
export function decompileRetryPolicy(policy?: temporal.api.common.v1.IRetryPolicy | null): RetryPolicy | undefined {
  if (!policy) return undefined;
  return {
    backoffCoefficient: policy.backoffCoefficient || undefined,
    maximumAttempts: policy.maximumAttempts || undefined,
    maximumInterval: optionalTsToMs(policy.maximumInterval),
    initialInterval: optionalTsToMs(policy.initialInterval),
    nonRetryableErrorTypes: policy.nonRetryableErrorTypes ?? undefined,
  };
}
