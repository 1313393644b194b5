/** Priorities: what an activity or a child says of its own goes before what its run says. */
import { api, type temporal } from './api.js';
import type { Fairness } from './fair-order.js';

type Priority = temporal.api.common.v1.IPriority;
const Codec = api.common.v1.Priority;

/** Taken when nobody says anything: the middle of 1 (first) to 5 (last). */
const DEFAULT_KEY = 3;
const LAST_KEY = 5;

const decode = (encoded: Uint8Array | null): Priority | undefined => (encoded ? Codec.decode(encoded) : undefined);

/** Encoded priorities of a run and of one of its activities, field by field; undefined when neither has one. */
export function mergePriorities(run: Uint8Array | null, activity: Uint8Array | null): Priority | undefined {
  return laidOver(decode(run), decode(activity));
}

/** A child's priority: its parent's where it names none. */
export const childPriority = (parent: Uint8Array | null, child: Priority | null | undefined): Priority | undefined =>
  laidOver(decode(parent), child ?? undefined);

function laidOver(base: Priority | undefined, own: Priority | undefined): Priority | undefined {
  if (!base || !own) return own ?? base;
  return {
    priorityKey: own.priorityKey || base.priorityKey,
    fairnessKey: own.fairnessKey || base.fairnessKey,
    fairnessWeight: own.fairnessWeight || base.fairnessWeight,
  };
}

/** Where a task waits in its queue: at a level, and there as one of its tenant's. */
export interface TaskRank extends Fairness {
  /** 1 (first) to 5 (last). */
  readonly priority: number;
}

/** Of a task without a priority of its own. */
export const MIDDLE_RANK: TaskRank = { priority: DEFAULT_KEY, key: '', weight: 0 };

export function taskRank(run: Uint8Array | null, activity: Uint8Array | null): TaskRank {
  if (!run && !activity) return MIDDLE_RANK;
  const { priorityKey, fairnessKey, fairnessWeight } = mergePriorities(run, activity)!;
  return { priority: Math.min(priorityKey || DEFAULT_KEY, LAST_KEY), key: fairnessKey ?? '', weight: fairnessWeight ?? 0 };
}
