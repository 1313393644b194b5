/**
 * How many tasks of a queue may be handed out: a limiter that remembers nothing but the moment from which the next one may go. A queue that
 * was quiet may hand out one second's worth at once. Times in milliseconds, rates in tasks per second.
 */

export interface DispatchLimit {
  /** Between two tasks; Infinity: none may go. */
  readonly intervalMs: number;
  readonly burstMs: number;
}

const BURST_MS = 1_000;
/** Slower than one in thirty years counts as never. */
const NEVER_PER_SECOND = 1e-9;

export const dispatchLimit = (perSecond: number): DispatchLimit =>
  perSecond <= NEVER_PER_SECOND
    ? { intervalMs: Number.POSITIVE_INFINITY, burstMs: 0 }
    : { intervalMs: 1_000 / perSecond, burstMs: BURST_MS };

/** The moment from which the next task may go after one has gone. What a queue did not use is forgotten after the burst. */
export const afterOne = (limit: DispatchLimit, readyMs: number, nowMs: number): number =>
  Math.max(nowMs - limit.burstMs, readyMs) + limit.intervalMs;

/** What remains of a wait when the limit changes: one that was set far ahead by a slow limit, or by none at all, must not outlive it. */
export const afterChange = (limit: DispatchLimit, readyMs: number, nowMs: number): number => {
  return Math.min(readyMs, limit.intervalMs === Number.POSITIVE_INFINITY ? nowMs : nowMs + limit.intervalMs);
};

/** How many tasks may go now. */
export function room(limit: DispatchLimit, readyMs: number, nowMs: number): number {
  if (readyMs > nowMs || limit.intervalMs === Number.POSITIVE_INFINITY) return 0;
  return Math.floor((nowMs - Math.max(nowMs - limit.burstMs, readyMs)) / limit.intervalMs) + 1;
}
