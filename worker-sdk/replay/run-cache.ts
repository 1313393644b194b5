/** The runs that a worker keeps, by use: those used longest ago go first when there are too many or memory runs short. */
import { getHeapStatistics } from 'node:v8';
import type { ManagedRun } from './managed-run.js';

/** How often memory is looked at, in milliseconds. */
const MEMORY_CHECK_MS = 500;
/** Part of the runs that go when memory runs short. */
const SHED_FRACTION = 0.1;

export class RunCache {
  /** In order of use: a Map keeps the order of insertion. */
  readonly #runs = new Map<string, ManagedRun>();
  #checkedMs = 0;

  constructor(
    private readonly maxRuns: number,
    private readonly maxHeapBytes: number,
    private readonly onEvict: (runId: string, reason: string) => void,
  ) {}

  get size(): number {
    return this.#runs.size;
  }

  /** The run, which becomes the one used last. */
  use(runId: string): ManagedRun | undefined {
    const run = this.#runs.get(runId);
    if (!run) return undefined;
    this.#runs.delete(runId);
    this.#runs.set(runId, run);
    return run;
  }

  add(run: ManagedRun): void {
    this.#runs.set(run.runId, run);
  }

  evict(runId: string, reason: string): void {
    const run = this.#runs.get(runId);
    if (!run) return;
    this.#runs.delete(runId);
    run.dispose();
    this.onEvict(runId, reason);
  }

  /** Makes room. Runs that work on a task stay. */
  trim(isBusy: (runId: string) => boolean): void {
    this.#shed(this.#runs.size - this.maxRuns, isBusy, 'the cache is full');
    const now = performance.now();
    if (now - this.#checkedMs < MEMORY_CHECK_MS) return;
    this.#checkedMs = now;
    if (getHeapStatistics().used_heap_size <= this.maxHeapBytes) return;
    this.#shed(Math.ceil(this.#runs.size * SHED_FRACTION), isBusy, 'memory runs short');
  }

  clear(): void {
    for (const runId of [...this.#runs.keys()]) this.evict(runId, 'the worker stops');
  }

  #shed(count: number, isBusy: (runId: string) => boolean, reason: string): void {
    if (count <= 0) return;
    let left = count;
    for (const runId of [...this.#runs.keys()]) {
      if (left <= 0) return;
      if (isBusy(runId)) continue;
      this.evict(runId, reason);
      left--;
    }
  }
}
