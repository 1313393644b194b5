/** Callers that wait for a run to change: long polls of the history, updates, queries. Woken after every commit of that run. */

/** How far a run is, as far as waiting callers care. */
export interface RunProgress {
  readonly open: boolean;
  readonly nextEventId: number;
}

/** Why a wait ended: the run changed (with what is known of it, when this node changed it), or the time was up. */
export type Awakened = RunProgress | 'changed' | 'timeout';

export class Watchers {
  private readonly byRun = new Map<string, Set<(progress: RunProgress | undefined) => void>>();

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
    this.byRun.delete(runId);
    for (const wake of waiting) wake(progress);
  }

  wakeAll(): void {
    for (const runId of [...this.byRun.keys()]) this.wake(runId);
  }

  /**
   * Registers at once; the promise says why the wait ended.
   * `onCancelled` ends the wait early when the caller goes away.
   */
  watch(runId: string, timeoutMs: number, onCancelled?: (end: () => void) => void): { changed: Promise<Awakened>; stop: () => void } {
    let end: (reason: Awakened) => void = () => {};
    const changed = new Promise<Awakened>((resolve) => {
      const set = this.byRun.get(runId) ?? new Set();
      this.byRun.set(runId, set);
      const wake = (progress: RunProgress | undefined): void => end(progress ?? 'changed');
      const timer = setTimeout(() => end('timeout'), Math.max(0, timeoutMs));
      end = (reason) => {
        clearTimeout(timer);
        set.delete(wake);
        if (set.size === 0 && this.byRun.get(runId) === set) this.byRun.delete(runId);
        resolve(reason);
      };
      set.add(wake);
    });
    onCancelled?.(() => end('timeout'));
    return { changed, stop: () => end('timeout') };
  }
}
