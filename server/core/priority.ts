/** Priorities: what an activity says of its own goes before what its run says. */
import { api, type temporal } from './api.js';

type Priority = temporal.api.common.v1.IPriority;
const Codec = api.common.v1.Priority;

/** Taken when nobody says anything: the middle of 1 (first) to 5 (last). */
const DEFAULT_KEY = 3;
const LAST_KEY = 5;

const decode = (encoded: Uint8Array | null): Priority | undefined => (encoded ? Codec.decode(encoded) : undefined);

/** Encoded priorities of a run and of one of its activities, field by field; undefined when neither has one. */
export function mergePriorities(run: Uint8Array | null, activity: Uint8Array | null): Priority | undefined {
  const base = decode(run);
  const own = decode(activity);
  if (!base || !own) return own ?? base;
  return {
    priorityKey: own.priorityKey || base.priorityKey,
    fairnessKey: own.fairnessKey || base.fairnessKey,
    fairnessWeight: own.fairnessWeight || base.fairnessWeight,
  };
}

/** The level of a task queue at which a task waits. */
export const priorityKey = (priority: Priority | undefined): number => Math.min(priority?.priorityKey || DEFAULT_KEY, LAST_KEY);
