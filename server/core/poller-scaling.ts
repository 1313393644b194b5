/** Whether a worker would do well to poll a queue more often, or less: a hint that travels with each task, for workers that scale their pollers. */

/** A poll that waited so long for a fresh task was one too many. */
const IDLE_MS = 1_000;
/** A task that lay in the backlog for so long waited for want of a poller. */
const BACKLOG_AGE_MS = 200;
/** Tasks come faster than they go. */
const ADD_TO_DISPATCH = 1.2;
/** Hints to add a poller, a second and poller: workers need a moment to follow one. */
const HINTS_PER_SECOND = 10;

export interface ScalingFacts {
  /** How long the poll has waited for the task. */
  readonly waitedMs: number;
  /** How long the task lay in the backlog; undefined when the poll was there first. */
  readonly backlogAgeMs: number | undefined;
  /** A rate limit holds tasks back: more polls would change nothing. */
  readonly rateLimited: boolean;
  /** Asked for only when nothing else decides. */
  readonly rates: () => { readonly added: number; readonly dispatched: number };
}

/** +1, -1, or 0 for no hint. */
export function pollerDelta({ waitedMs, backlogAgeMs, rateLimited, rates }: ScalingFacts, mayHint: () => boolean): number {
  if (waitedMs >= IDLE_MS && backlogAgeMs === undefined) return -1;
  if (rateLimited || !mayHint()) return 0;
  if (backlogAgeMs !== undefined && backlogAgeMs > BACKLOG_AGE_MS) return 1;
  const { added, dispatched } = rates();
  return added > dispatched * ADD_TO_DISPATCH ? 1 : 0;
}

/** Keeps the hints of one queue to ten a second for each of its pollers. */
export class HintBudget {
  private readyMs = 0;

  take(pollers: number, nowMs: number): boolean {
    if (this.readyMs > nowMs) return false;
    this.readyMs = Math.max(this.readyMs, nowMs - 1_000) + 1_000 / (HINTS_PER_SECOND * Math.max(1, pollers));
    return true;
  }
}
