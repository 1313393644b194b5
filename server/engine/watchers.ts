/** Callers that wait for a run to change: long polls of the history, updates, queries. Woken after every commit of that run. */

/** How far a run is, as far as waiting callers care. */
export interface RunProgress {
  readonly open: boolean;
  readonly nextEventId: number;
}

/** Why a wait ended: the run changed (with what is known of it, when this node changed it), or the time was up. */
export type Awakened = RunProgress | 'changed' | 'timeout';

interface Watcher {
  /** What is not worth waking it for. */
  readonly holds: ((progress: RunProgress) => boolean) | undefined;
  readonly end: (reason: Awakened) => void;
}

export class Watchers {
  private readonly byRun = new Map<string, Set<Watcher>>();

  get size(): number {
    return this.byRun.size;
  }

  has(runId: string): boolean {
    return this.byRun.has(runId);
  }

  /** `progress` is left out when another node says that the run changed. */
  wake(runId: string, progress?: RunProgress): void {
    const waiting = this.byRun.get(runId);
    if (!waiting) return;
    for (const watcher of [...waiting]) if (!progress || !watcher.holds?.(progress)) watcher.end(progress ?? 'changed');
  }

  wakeAll(): void {
    for (const runId of [...this.byRun.keys()]) this.wake(runId);
  }

  /**
   * Registers at once; the promise says why the wait ended.
   * `onCancelled` ends the wait early when the caller goes away; while `holds` says true of a change, the wait goes on.
   */
  watch(
    runId: string,
    timeoutMs: number,
    { onCancelled, holds }: { onCancelled?: (end: () => void) => void; holds?: (progress: RunProgress) => boolean } = {},
  ): { changed: Promise<Awakened>; stop: () => void } {
    let end: (reason: Awakened) => void = () => {};
    const changed = new Promise<Awakened>((resolve) => {
      const set = this.byRun.get(runId) ?? new Set();
      this.byRun.set(runId, set);
      const timer = setTimeout(() => end('timeout'), Math.max(0, timeoutMs));
      end = (reason) => {
        clearTimeout(timer);
        set.delete(watcher);
        if (set.size === 0 && this.byRun.get(runId) === set) this.byRun.delete(runId);
        resolve(reason);
      };
      const watcher: Watcher = { holds, end: (reason) => end(reason) };
      set.add(watcher);
    });
    onCancelled?.(() => end('timeout'));
    return { changed, stop: () => end('timeout') };
  }
}
