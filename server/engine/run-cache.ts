/** Snapshots of runs that this node has touched lately, with the rows of history that a worker may need next. A hint: every commit checks the version. */
import { isRunning } from '../core/kinds/run.js';
import type { RunState } from '../core/run-state.js';
import type { HistoryRow } from '../storage/history.js';
import { RecentRows } from './recent-rows.js';

export interface CachedRun {
  state: RunState;
  version: number;
  deadlineMs: number | null;
  /** Rows without a gap from `recentFrom` to the end of the history. */
  recent: HistoryRow[];
  /** First event id that `recent` covers; nextEventId when it covers nothing. */
  recentFrom: number;
}

/** Closed runs that are remembered: whoever waited for their end, and asks what it was, comes within a moment. */
const CLOSED_MAX = 500;

export class RunCache {
  private readonly open = new Map<string, CachedRun>();
  private readonly closed = new Map<string, CachedRun>();
  private readonly recent = new RecentRows();

  /** Runs that were taken out, for a transition that is under way. */
  private readonly inHand = new Set<string>();

  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.open.size + this.closed.size;
  }

  /** Takes a run out: whoever works on it puts it back when its commit is through. */
  take(runId: string): CachedRun | undefined {
    const run = this.peek(runId);
    if (run) {
      this.drop(runId);
      this.inHand.add(runId);
    }
    return run;
  }

  /** The transition for which a run was taken out is over. */
  letGo(runId: string): void {
    this.inHand.delete(runId);
  }

  /** Whether this node remembers a run, be it in the middle of a transition. */
  knows(runId: string): boolean {
    return this.inHand.has(runId) || this.peek(runId) !== undefined;
  }

  /** Looks at a run that nobody works on just now, without taking it. */
  peek(runId: string): CachedRun | undefined {
    return this.open.get(runId) ?? this.closed.get(runId);
  }

  put(run: CachedRun): void {
    this.recent.keep(run);
    const { runId } = run.state.info;
    const open = isRunning(run.state);
    const [runs, most] = open ? [this.open, this.capacity] : [this.closed, CLOSED_MAX];
    (open ? this.closed : this.open).delete(runId);
    runs.set(runId, run);
    if (runs.size > most) {
      const oldest = runs.keys().next().value;
      if (oldest !== undefined) this.drop(oldest);
    }
  }

  /** Memory is short: forgets the closed runs, and of the open ones the half that was not touched for longest. */
  shrink(): void {
    for (const runId of this.closed.keys()) this.drop(runId);
    let left = Math.ceil(this.open.size / 2);
    for (const runId of this.open.keys()) {
      if (left-- <= 0) return;
      this.drop(runId);
    }
  }

  drop(runId: string): void {
    this.recent.forget(runId);
    if (!this.open.delete(runId)) this.closed.delete(runId);
  }
}
