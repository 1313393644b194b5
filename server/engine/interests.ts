/**
 * Runs that callers at other nodes wait for. A node says so when a wait begins that it will not end by its own work; whoever changes the run then tells.
 * Of a run that nobody elsewhere waits for, nothing is said. A hint: waiters also look by themselves.
 */
import type { RunProgress } from './watchers.js';

interface Interest {
  /** Only its end matters. */
  closeOnly: boolean;
  untilMs: number;
}

const MAX = 100_000;
/** Expired ones that are forgotten with each new one. */
const SWEPT = 2;

export class Interests {
  private readonly byRun = new Map<string, Interest>();

  constructor(private readonly now: () => number) {}

  get size(): number {
    return this.byRun.size;
  }

  note(runId: string, closeOnly: boolean, untilMs: number): void {
    const known = this.byRun.get(runId);
    this.byRun.delete(runId);
    this.byRun.set(runId, { closeOnly: closeOnly && known?.closeOnly !== false, untilMs: Math.max(untilMs, known?.untilMs ?? 0) });
    this.sweep();
  }

  /** Whether somebody elsewhere is to be told that the run is so far. */
  wants(runId: string, { open }: RunProgress): boolean {
    const interest = this.byRun.get(runId);
    if (!interest) return false;
    if (interest.untilMs < this.now()) {
      this.byRun.delete(runId);
      return false;
    }
    if (!open) this.byRun.delete(runId);
    return !open || !interest.closeOnly;
  }

  /** Oldest first: some that have expired, and whatever is too many. */
  private sweep(): void {
    let swept = 0;
    for (const [runId, { untilMs }] of this.byRun) {
      if (this.byRun.size <= MAX && (untilMs >= this.now() || swept++ >= SWEPT)) return;
      this.byRun.delete(runId);
    }
  }
}
