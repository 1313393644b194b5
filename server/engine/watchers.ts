/** Callers that wait for a run to change: long polls of the history, updates, queries. Woken after every commit of that run. */
export class Watchers {
  private readonly byRun = new Map<string, Set<() => void>>();

  get size(): number {
    return this.byRun.size;
  }

  has(runId: string): boolean {
    return this.byRun.has(runId);
  }

  wake(runId: string): void {
    const waiting = this.byRun.get(runId);
    if (!waiting) return;
    this.byRun.delete(runId);
    for (const wake of waiting) wake();
  }

  wakeAll(): void {
    for (const runId of [...this.byRun.keys()]) this.wake(runId);
  }

  /**
   * Registers at once; the promise says whether the run changed (true) or the time was up (false).
   * `onCancelled` ends the wait early when the caller goes away.
   */
  watch(runId: string, timeoutMs: number, onCancelled?: (end: () => void) => void): { changed: Promise<boolean>; stop: () => void } {
    let end: (changed: boolean) => void = () => {};
    const changed = new Promise<boolean>((resolve) => {
      const set = this.byRun.get(runId) ?? new Set();
      this.byRun.set(runId, set);
      const wake = (): void => end(true);
      const timer = setTimeout(() => end(false), Math.max(0, timeoutMs));
      end = (value) => {
        clearTimeout(timer);
        set.delete(wake);
        if (set.size === 0 && this.byRun.get(runId) === set) this.byRun.delete(runId);
        resolve(value);
      };
      set.add(wake);
    });
    onCancelled?.(() => end(false));
    return { changed, stop: () => end(false) };
  }
}
