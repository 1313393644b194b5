/** When a local activity is tried again. The worker decides that itself, by the rules of the server. */
import type { ProtoFailure, temporal } from '../definitions/api.js';
import { optionalTsToMs } from '../definitions/duration.js';

type RetryPolicy = temporal.api.common.v1.IRetryPolicy;

/** Milliseconds until the next attempt; `undefined` when there is none. */
export function localRetryDelayMs(policy: RetryPolicy | null | undefined, attempt: number, failure: ProtoFailure | undefined): number | undefined {
  const maximumAttempts = policy?.maximumAttempts ?? 0;
  if (maximumAttempts > 0 && attempt >= maximumAttempts) return undefined;
  const application = failure?.applicationFailureInfo;
  if (application?.nonRetryable) return undefined;
  const type = (application?.type ?? '').toLowerCase();
  if ((policy?.nonRetryableErrorTypes ?? []).some((pattern) => pattern.toLowerCase() === type)) return undefined;
  const explicit = optionalTsToMs(application?.nextRetryDelay);
  if (explicit !== undefined) return explicit;
  const initialMs = optionalTsToMs(policy?.initialInterval) ?? 1000;
  const coefficient = (policy?.backoffCoefficient ?? 0) >= 1 ? policy!.backoffCoefficient! : 2;
  const maximumMs = Math.max(initialMs, optionalTsToMs(policy?.maximumInterval) ?? initialMs * 100);
  return Math.min(maximumMs, initialMs * coefficient ** (attempt - 1));
}
