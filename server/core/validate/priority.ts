/** Priorities of runs and activities. */
import type { temporal } from '../api.js';
import { FAIRNESS_KEY_LENGTH_MAX } from './limits.js';
import type { Problem } from './problem.js';
import { exceeds } from './text-length.js';

export function priorityProblem(priority: temporal.api.common.v1.IPriority | null | undefined): Problem {
  if (!priority) return undefined;
  if ((priority.priorityKey ?? 0) < 0) return "priority key can't be negative";
  if (priority.fairnessKey && exceeds(priority.fairnessKey, FAIRNESS_KEY_LENGTH_MAX)) return 'fairness key length exceeds limit';
  return (priority.fairnessWeight ?? 0) < 0 ? 'must be greater than zero' : undefined;
}
