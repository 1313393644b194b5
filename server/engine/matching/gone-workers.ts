/** Worker instances that said goodbye lately: a poll of theirs that was on its way is answered at once. */

/** Longer than a poll takes to arrive; a worker never comes back under the same key. */
const REMEMBERED_MS = 30_000;
const REMEMBERED_MAX = 10_000;

export class GoneWorkers {
  private readonly untilMs = new Map<string, number>();

  constructor(private readonly now: () => number) {}

  add(workerInstanceKey: string): void {
    const nowMs = this.now();
    for (const [key, untilMs] of this.untilMs) {
      if (untilMs > nowMs && this.untilMs.size < REMEMBERED_MAX) break; // oldest first
      this.untilMs.delete(key);
    }
    this.untilMs.set(workerInstanceKey, nowMs + REMEMBERED_MS);
  }

  has(workerInstanceKey: string): boolean {
    return workerInstanceKey !== '' && (this.untilMs.get(workerInstanceKey) ?? 0) > this.now();
  }
}
