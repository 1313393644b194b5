/** Failures that the server makes itself, and failures of others cut to a size that can be stored. */
import type { Failure, Payloads, temporal } from './api.js';
import { failureSize } from './validate/payload-size.js';

const SERVER = 'Server';

/** A failure of the server's own, for example a result that is too large to be stored. */
export const serverFailure = (message: string, nonRetryable: boolean): Failure => ({ message, serverFailureInfo: { nonRetryable } });

export const timeoutFailure = (message: string, timeoutType: temporal.api.enums.v1.TimeoutType): Failure => ({
  message,
  source: SERVER,
  timeoutFailureInfo: { timeoutType },
});

/** What a reset writes into the task that it fails, with what the activities in flight last told. */
export const resetFailure = (message: string, lastHeartbeatDetails?: Payloads | null): Failure => ({
  message,
  resetWorkflowFailureInfo: lastHeartbeatDetails ? { lastHeartbeatDetails } : {},
});

export const FAILURE_TOO_LARGE = 'Failure exceeds size limit.';
export const RESULT_TOO_LARGE = 'Complete result exceeds size limit.';
export const CANCEL_DETAILS_TOO_LARGE = 'Cancel details exceed size limit.';
export const HEARTBEAT_TOO_LARGE = 'Heartbeat details exceed size limit.';

/** Bytes of tags and lengths that each kept text takes at most. */
const OVERHEAD = 4;
const DEPTH_MAX = 20;

/** Cuts a text to so many bytes of UTF-8, never inside a character. */
export function truncateText(text: string, bytesMax: number): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= bytesMax) return text;
  let end = Math.max(0, bytesMax);
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return new TextDecoder().decode(bytes.subarray(0, end));
}

/**
 * A failure of at most about so many bytes: what an application or server failure says about retrying, then the source, message, stack
 * and causes as far as they fit. Details and other kinds' information are left out.
 */
export function truncateFailure(failure: Failure, bytesMax: number, depthMax = DEPTH_MAX): Failure {
  let left = bytesMax;
  const keep = (text: string | null | undefined): string => {
    const kept = truncateText(text ?? '', left);
    left -= kept ? new TextEncoder().encode(kept).length + OVERHEAD : 0;
    return kept;
  };
  const short: Failure = {};
  const { applicationFailureInfo: application, serverFailureInfo: server } = failure;
  if (application) {
    short.applicationFailureInfo = { nonRetryable: application.nonRetryable, type: keep(application.type) };
    left -= 2 * OVERHEAD;
  } else if (server) {
    short.serverFailureInfo = { nonRetryable: server.nonRetryable };
    left -= OVERHEAD;
  }
  short.source = keep(failure.source);
  short.message = keep(failure.message);
  short.stackTrace = keep(failure.stackTrace);
  if (failure.cause && left > OVERHEAD && depthMax > 0) short.cause = truncateFailure(failure.cause, left - OVERHEAD, depthMax - 1);
  return short;
}

/** A failure that may be too large to be stored: itself, or a final server failure with the beginning of it as its cause. */
export function storableFailure(failure: Failure, { sizeMax, truncatedSizeMax }: { sizeMax: number; truncatedSizeMax: number }): Failure {
  if (failureSize(failure) <= sizeMax) return failure;
  return { ...serverFailure(FAILURE_TOO_LARGE, true), cause: truncateFailure(failure, truncatedSizeMax) };
}

/** The failure of an attempt that is tried again, as the state keeps it: itself, or the beginning of it inside a server failure. */
export function retryableFailure(failure: Failure, sizeMax: number): Failure {
  if (failureSize(failure) <= sizeMax) return failure;
  return { ...serverFailure(FAILURE_TOO_LARGE, false), cause: truncateFailure(failure, sizeMax) };
}
