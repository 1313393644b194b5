/**
 * The rows of history that remembered runs keep: what a worker has not seen yet, and what its activities were scheduled with. So much for all runs
 * together; when there is more, those that were not touched for longest have theirs read again.
 */
import type { CachedRun } from './run-cache.js';

/** Bytes kept with one run at most: what one answer to a worker holds. */
const RUN_BYTES_MAX = 2 * 1024 * 1024;
const ALL_BYTES_MAX = 64 * 1024 * 1024;

export class RecentRows {
  /** Runs that keep any, the one that was touched last at the end. */
  private readonly held = new Map<string, { run: CachedRun; bytes: number }>();
  private bytes = 0;

  /** A run goes into the cache: forgets what no sticky worker will ask for again, and what is too much. */
  keep(run: CachedRun): void {
    const { runId } = run.state.info;
    this.forget(runId);
    const bytes = trim(run);
    if (bytes === 0) return;
    this.held.set(runId, { run, bytes });
    this.bytes += bytes;
    for (const [oldest, { run: other }] of this.held) {
      if (this.bytes <= ALL_BYTES_MAX) return;
      this.forget(oldest);
      clear(other);
    }
  }

  /** A run leaves the cache. */
  forget(runId: string): void {
    this.bytes -= this.held.get(runId)?.bytes ?? 0;
    this.held.delete(runId);
  }
}

/** How many bytes are left. */
function trim(run: CachedRun): number {
  const known = run.state.previousStartedEventId;
  let drop = 0;
  while (drop < run.recent.length && run.recent[drop]!.lastEventId <= known) drop++;
  if (drop > 0) run.recent.splice(0, drop);
  let bytes = 0;
  for (const row of run.recent) bytes += row.events.length;
  if (bytes <= RUN_BYTES_MAX && bytes > 0) {
    run.recentFrom = run.recent[0]!.firstEventId;
    return bytes;
  }
  clear(run);
  return 0;
}

function clear(run: CachedRun): void {
  run.recent = [];
  run.recentFrom = run.state.nextEventId;
}
