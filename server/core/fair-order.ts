/**
 * In which order the waiting tasks of one level of a queue are handed out: tenants (fairness keys) take turns, each as often as its weight says,
 * however many tasks each has. Every task gets a place when it begins to wait, and lower places go first. A place is a time: the task's own,
 * unless its key has tasks waiting already; then it lies a stride behind the last of them. So the places of one who brings thousands reach far
 * into the future and whoever brings few goes in between, but nobody waits for what comes after his own place in time. As places are times, nodes
 * need not agree on anything but the clock. While no task of a queue has a key, the order is that of arrival.
 */

/** Whom a task belongs to, among the tenants of its queue. */
export interface Fairness {
  /** '' = nobody in particular. */
  readonly key: string;
  /** As the task states it; 0 = nothing. */
  readonly weight: number;
}

/** What one task of weight 1 costs its key. */
const STRIDE_MS = 1_000;
const WEIGHT_MIN = 0.001;
/** Keys that are remembered; one that is forgotten starts anew. */
const KEYS_MAX = 1_000;

/** An override of the queue's configuration goes before what the task says; nothing is 1. */
export function effectiveWeight({ key, weight: stated }: Fairness, overrides: Readonly<Record<string, number>>): number {
  const weight = Object.hasOwn(overrides, key) ? overrides[key]! : stated;
  return weight > 0 ? Math.max(weight, WEIGHT_MIN) : 1;
}

export class FairOrder {
  private readonly last = new Map<string, number>();
  private servedTo = 0;
  private keyed = false;

  /** Whether tasks with keys have come since the queue was last empty. */
  get takesTurns(): boolean {
    return this.keyed;
  }

  /** The place of a task that begins to wait. */
  place(key: string, weight: number, nowMs: number): number {
    if (key !== '') this.keyed = true;
    // where the turn is by now may be ahead of the clock: who comes new begins there, and not before all others
    const base = Math.max(nowMs, this.servedTo);
    if (!this.keyed) return base;
    const last = this.last.get(key);
    const place = last === undefined ? base : Math.max(base, last + STRIDE_MS / weight);
    this.last.delete(key);
    this.last.set(key, place);
    if (this.last.size > KEYS_MAX) this.last.delete(this.last.keys().next().value!);
    return place;
  }

  /** The turn has come to this place. */
  served(place: number): void {
    if (place > this.servedTo) this.servedTo = place;
  }

  /** Nothing waits any more: nobody owes anybody a turn. */
  emptied(): void {
    this.last.clear();
    this.servedTo = 0;
    this.keyed = false;
  }
}
