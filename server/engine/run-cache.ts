/** Snapshots of runs that this node has touched lately, with the rows of history that a worker may need next. A hint: every commit checks the version. */
import { isRunning } from '../core/kinds/run.js';
import type { RunState } from '../core/run-state.js';
import type { HistoryRow } from '../storage/history.js';

export interface CachedRun {
  state: RunState;
  version: number;
  deadlineMs: number | null;
  /** Rows without a gap from `recentFrom` to the end of the history. */
  recent: HistoryRow[];
  /** First event id that `recent` covers; nextEventId when it covers nothing. */
  recentFrom: number;
}

/** Bytes of history kept with a run at most. */
const RECENT_BYTES_MAX = 256 * 1024;

/** Closed runs that are remembered: whoever waited for their end, and asks what it was, comes within a moment. */
const CLOSED_MAX = 500;

/** Open runs that are remembered while there is nothing to do. */
const RESTING_MAX = 1_000;

export class RunCache {
  private readonly open = new Map<string, CachedRun>();
  private readonly closed = new Map<string, CachedRun>();

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
    trimRecent(run);
    const { runId } = run.state.info;
    const open = isRunning(run.state);
    const [runs, most] = open ? [this.open, this.capacity] : [this.closed, CLOSED_MAX];
    (open ? this.closed : this.open).delete(runId);
    runs.set(runId, run);
    if (runs.size > most) {
      const oldest = runs.keys().next().value;
      if (oldest !== undefined) runs.delete(oldest);
    }
  }

  /** Nothing is going on: remembers only the runs that were touched last. Many that sleep cost memory, and time whenever it is cleaned up. */
  rest(): void {
    let left = this.open.size - RESTING_MAX;
    for (const runId of this.open.keys()) {
      if (left-- <= 0) return;
      this.open.delete(runId);
    }
  }

  /** Memory is short: forgets the closed runs, and of the open ones the half that was not touched for longest. */
  shrink(): void {
    this.closed.clear();
    let left = Math.ceil(this.open.size / 2);
    for (const runId of this.open.keys()) {
      if (left-- <= 0) return;
      this.open.delete(runId);
    }
  }

  drop(runId: string): void {
    if (!this.open.delete(runId)) this.closed.delete(runId);
  }
}

/** Forgets rows that no sticky worker will ask for again, and everything when it grows too large. */
function trimRecent(run: CachedRun): void {
  const known = run.state.previousStartedEventId;
  let drop = 0;
  while (drop < run.recent.length && run.recent[drop]!.lastEventId <= known) drop++;
  if (drop > 0) run.recent.splice(0, drop);
  let bytes = 0;
  for (const row of run.recent) bytes += row.events.length;
  if (bytes > RECENT_BYTES_MAX) run.recent = [];
  run.recentFrom = run.recent[0]?.firstEventId ?? run.state.nextEventId;
}
