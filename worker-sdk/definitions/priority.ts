/** Priority and fairness of a workflow's or activity's tasks within its task queue. */
import type { temporal } from './api.js';
import { ValueError } from './errors.js';

/** Priority and fairness of tasks. What is left out is inherited from the caller, or is the server's default. */
export interface Priority {
  /** 1 (first) to n (last), n being the server's number of levels, 5 by default; default is the middle. */
  priorityKey?: number;
  /** Tasks of the same priority are shared out fairly among fairness keys. At most 64 bytes. */
  fairnessKey?: string;
  /** Weight of the fairness key, 0.001 to 1000, default 1. */
  fairnessWeight?: number;
}

/** Priority message -> Priority. */
export function decodePriority(priority?: temporal.api.common.v1.IPriority | null): Priority {
  return {
    priorityKey: priority?.priorityKey || undefined,
    fairnessKey: priority?.fairnessKey || undefined,
    fairnessWeight: priority?.fairnessWeight || undefined,
  };
}

/**
 * Priority -> Priority message.
 * @throws {@link ValueError} when the key is not a positive integer.
 */
export function compilePriority(priority: Priority): temporal.api.common.v1.IPriority {
  const key = priority.priorityKey ?? 0;
  if (!Number.isInteger(key) || key < 0) throw new ValueError(`Invalid priorityKey: expected a positive integer, got ${key}`);
  return { priorityKey: key, fairnessKey: priority.fairnessKey ?? '', fairnessWeight: priority.fairnessWeight ?? 0 };
}
