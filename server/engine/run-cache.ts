/** Snapshots of runs that this node has touched lately, with the rows of history that a worker may need next. A hint: every commit checks the version. */
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

export class RunCache {
  private readonly runs = new Map<string, CachedRun>();

  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.runs.size;
  }

  /** Takes a run out: whoever works on it puts it back when its commit is through. */
  take(runId: string): CachedRun | undefined {
    const run = this.runs.get(runId);
    if (run) this.runs.delete(runId);
    return run;
  }

  /** Looks at a run that nobody works on just now, without taking it. */
  peek(runId: string): CachedRun | undefined {
    return this.runs.get(runId);
  }

  put(run: CachedRun): void {
    trimRecent(run);
    this.runs.set(run.state.info.runId, run);
    if (this.runs.size > this.capacity) {
      const oldest = this.runs.keys().next().value;
      if (oldest !== undefined) this.runs.delete(oldest);
    }
  }

  /** Memory is short: forgets the half that was not touched for longest. */
  shrink(): void {
    let left = Math.ceil(this.runs.size / 2);
    for (const runId of this.runs.keys()) {
      if (left-- <= 0) return;
      this.runs.delete(runId);
    }
  }

  drop(runId: string): void {
    this.runs.delete(runId);
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
