/** Retry policies as callers write them; what they leave out has defaults and is not a problem. */
import { enums, fromDuration, type temporal } from '../api.js';
import { durationProblem } from './duration.js';
import type { Problem } from './problem.js';

const TIMEOUT_TYPE_PREFIX = 'TemporalTimeout:';

/** Names of timeouts in nonRetryableErrorTypes: the enum's value names without their prefix, in camel case. */
const TIMEOUT_TYPES = new Set(['StartToClose', 'ScheduleToStart', 'ScheduleToClose', 'Heartbeat']);

const DEFAULT_INITIAL_MS = 1000;

function timeoutTypeProblem(types: readonly string[]): Problem {
  for (const type of types) {
    if (!type.startsWith(TIMEOUT_TYPE_PREFIX)) continue;
    const name = type.slice(TIMEOUT_TYPE_PREFIX.length);
    const known =
      TIMEOUT_TYPES.has(name) || (name in enums.TimeoutType && name.startsWith('TIMEOUT_TYPE_') && name !== 'TIMEOUT_TYPE_UNSPECIFIED');
    if (!known) return `Invalid timeout type value: ${name}.`;
  }
  return undefined;
}

export function retryPolicyProblem(policy: temporal.api.common.v1.IRetryPolicy | null | undefined): Problem {
  if (!policy || policy.maximumAttempts === 1) return undefined;
  const initial = durationProblem(policy.initialInterval);
  if (initial) return `invalid InitialInterval set on retry policy: ${initial}`;
  const coefficient = policy.backoffCoefficient ?? 0;
  // NaN is neither left out nor at least one.
  if (coefficient !== 0 && !(coefficient >= 1)) return 'BackoffCoefficient cannot be less than 1 on retry policy.';
  const maximum = durationProblem(policy.maximumInterval);
  if (maximum) return `invalid MaximumInterval set on retry policy: ${maximum}`;
  const initialMs = fromDuration(policy.initialInterval) || DEFAULT_INITIAL_MS;
  const maximumMs = fromDuration(policy.maximumInterval);
  if (maximumMs > 0 && maximumMs < initialMs) return 'MaximumInterval cannot be less than InitialInterval on retry policy.';
  if ((policy.maximumAttempts ?? 0) < 0) return 'MaximumAttempts cannot be negative on retry policy.';
  return timeoutTypeProblem(policy.nonRetryableErrorTypes ?? []);
}
