/** Durations of requests and commands: none is negative, and none reaches beyond a hundred years. */
import { type Duration, fromDuration, toNumber } from '../api.js';
import type { Problem } from './problem.js';

const DURATION_MAX_MS = 100 * 365 * 24 * 3600 * 1000;

export function durationProblem(duration: Duration | null | undefined): Problem {
  if (!duration) return undefined;
  const seconds = toNumber(duration.seconds);
  const nanos = duration.nanos ?? 0;
  if ((seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0)) return 'duration has seconds and nanos with different signs';
  return seconds < 0 || nanos < 0 ? 'negative duration' : undefined;
}

/** Duration -> milliseconds, at most a hundred years; 0 when absent. */
export const cappedMs = (duration: Duration | null | undefined): number => Math.min(fromDuration(duration), DURATION_MAX_MS);
