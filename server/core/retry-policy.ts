/** Retry policies: the API's message with defaults filled in, and when (or why not) the next attempt comes. */
import { enums, fromDuration, type temporal, toDuration } from './api.js';
import type { RetryPolicy } from './run-state.js';

type ApiRetryPolicy = temporal.api.common.v1.IRetryPolicy;
const S = enums.RetryState;

const DEFAULT_INITIAL_MS = 1000;
const DEFAULT_COEFFICIENT = 2;
const DEFAULT_MAXIMUM_FACTOR = 100;

/** The policy with what it leaves out filled in: 1 s, doubling, at most 100 times the first interval, no end. */
export function completeRetryPolicy(policy: ApiRetryPolicy | null | undefined): RetryPolicy {
  const initialIntervalMs = fromDuration(policy?.initialInterval) || DEFAULT_INITIAL_MS;
  return {
    initialIntervalMs,
    coefficient: policy?.backoffCoefficient || DEFAULT_COEFFICIENT,
    maximumIntervalMs: fromDuration(policy?.maximumInterval) || initialIntervalMs * DEFAULT_MAXIMUM_FACTOR,
    maximumAttempts: policy?.maximumAttempts ?? 0,
    nonRetryableTypes: [...(policy?.nonRetryableErrorTypes ?? [])],
  };
}

export function retryPolicyToApi(policy: RetryPolicy): ApiRetryPolicy {
  return {
    initialInterval: toDuration(policy.initialIntervalMs),
    backoffCoefficient: policy.coefficient,
    maximumInterval: toDuration(policy.maximumIntervalMs),
    maximumAttempts: policy.maximumAttempts,
    nonRetryableErrorTypes: policy.nonRetryableTypes,
  };
}

/** Time before attempt `attempt + 1`, in milliseconds. */
export function backoffMs(policy: RetryPolicy, attempt: number): number {
  const interval = policy.initialIntervalMs * policy.coefficient ** (attempt - 1);
  return Math.min(Number.isFinite(interval) ? interval : Number.MAX_SAFE_INTEGER, policy.maximumIntervalMs || Number.MAX_SAFE_INTEGER);
}

export interface FailedAttempt {
  attempt: number;
  nowMs: number;
  /** No attempt may begin after this; 0 = no end. */
  expirationMs: number;
  failure: temporal.api.failure.v1.IFailure | null | undefined;
}

export type RetryDecision = { retry: true; delayMs: number } | { retry: false; state: number };

const no = (state: number): RetryDecision => ({ retry: false, state });

/** Whether a failed attempt is tried again, after how long, or the retry state that says why not. */
export function decideRetry(policy: RetryPolicy | null, { attempt, nowMs, expirationMs, failure }: FailedAttempt): RetryDecision {
  if (!policy) return no(S.RETRY_STATE_RETRY_POLICY_NOT_SET);
  if (failure && !isRetryable(failure, policy)) return no(S.RETRY_STATE_NON_RETRYABLE_FAILURE);
  if (policy.maximumAttempts === 0 && expirationMs === 0 && policy.initialIntervalMs === 0) return no(S.RETRY_STATE_RETRY_POLICY_NOT_SET);
  if (policy.maximumAttempts > 0 && attempt >= policy.maximumAttempts) return no(S.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED);
  const asked = failure?.applicationFailureInfo?.nextRetryDelay;
  const delayMs = asked ? fromDuration(asked) : backoffMs(policy, attempt);
  if (expirationMs > 0 && nowMs + delayMs > expirationMs) return no(S.RETRY_STATE_TIMEOUT);
  return { retry: true, delayMs };
}

function isRetryable(failure: temporal.api.failure.v1.IFailure, policy: RetryPolicy): boolean {
  if (failure.terminatedFailureInfo || failure.canceledFailureInfo) return false;
  if (failure.timeoutFailureInfo) {
    const type = failure.timeoutFailureInfo.timeoutType;
    const name =
      type === enums.TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE
        ? 'StartToClose'
        : type === enums.TimeoutType.TIMEOUT_TYPE_HEARTBEAT
          ? 'Heartbeat'
          : '';
    return name !== '' && !policy.nonRetryableTypes.includes(`TemporalTimeout:${name}`);
  }
  if (failure.serverFailureInfo) return !failure.serverFailureInfo.nonRetryable;
  const application = failure.applicationFailureInfo;
  if (application) return !application.nonRetryable && !policy.nonRetryableTypes.includes(application.type ?? '');
  return true;
}
