/**
 * A thread that ends code of the main thread which takes too long. Both share a few numbers: the main thread says what it has begun and that
 * it is over, which costs next to nothing; the thread looks now and then, sleeps while nothing happens, and asks the inspector to terminate
 * what it finds there for too long.
 *
 * Whoever terminates code needs a place where that stops. The inspector stops it at the end of a run of the microtask queue, so the guarded
 * code is the only microtask of a run of its own: what is queued at that moment is lost when code is terminated. Nothing of this is promised
 * by Node: it is tried once with a loop, and left alone where that does not end.
 */
import { executionAsyncId } from 'node:async_hooks';
import { isMainThread, Worker } from 'node:worker_threads';
import { restoreAsyncId } from './async-ids.js';
import { ACTIVE, ANSWERED, ASLEEP, BEGUN, CELLS, LIMIT_MS, READY, THREAD_SOURCE } from './watchdog-thread.js';

/** A worker that guards hardly anything needs no thread. */
const GUARDS_BEFORE_START = 100;
/** How often the thread looks while code is guarded at all: what takes too long is ended so much late. */
const LOOK_MS = 200;
/** The thread has to end this, whose own end is far off. */
const PROBE_MS = 500;
/** How long code that has come to its end just when it was to be terminated waits for that. */
const CROSSED_MS = 2_000;
const MAX_ID = 1 << 30;

const settled = Promise.resolve();

/** Runs all ticks and microtasks that are queued. Undefined outside of Node. */
const runQueued = (process as unknown as { _tickCallback?: () => void })._tickCallback?.bind(process);

export class Watchdog {
  private readonly cells = new Int32Array(new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT));
  private state: 'counting' | 'starting' | 'proven' | 'useless';
  private thread: Worker | undefined;
  private guards = 0;
  private lastId = 0;

  constructor(
    private readonly guardsBeforeStart = GUARDS_BEFORE_START,
    private readonly lookMs = LOOK_MS,
  ) {
    this.state = isMainThread && runQueued ? 'counting' : 'useless';
  }

  /** Whether it does its work. */
  get isProven(): boolean {
    return this.state === 'proven';
  }

  /** Whether it never will. */
  get isUseless(): boolean {
    return this.state === 'useless';
  }

  /**
   * Calls `fn`, which must not throw. False when it was terminated; undefined when it was not called, because there is no thread yet or because
   * microtasks are running.
   */
  run(limitMs: number, fn: () => void): boolean | undefined {
    if (this.state === 'proven') return this.guarded(limitMs, fn);
    if (this.state === 'counting' && ++this.guards > this.guardsBeforeStart) this.start();
    else if (this.state === 'starting' && Atomics.load(this.cells, READY) === 1) this.prove();
    return undefined;
  }

  private start(): void {
    this.state = 'starting';
    try {
      const workerData = { cells: this.cells, lookMs: this.lookMs };
      const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 };
      this.thread = new Worker(THREAD_SOURCE, { eval: true, workerData, execArgv: [], env: {}, resourceLimits });
      this.thread.once('error', () => this.giveUp()).once('exit', () => this.giveUp());
      this.thread.unref();
    } catch {
      this.giveUp();
    }
  }

  private giveUp(): void {
    this.state = 'useless';
    void this.thread?.terminate();
    this.thread = undefined;
  }

  private prove(): void {
    let ranOut = false;
    const asyncId = executionAsyncId();
    const ended = this.guarded(1, () => {
      for (const until = performance.now() + PROBE_MS; performance.now() < until; );
      ranOut = true;
    });
    if (ended === undefined) return;
    restoreAsyncId(asyncId);
    if (ended || ranOut) this.giveUp();
    else this.state = 'proven';
  }

  private guarded(limitMs: number, fn: () => void): boolean | undefined {
    // What others have queued is not to be lost with this.
    runQueued!();
    let stage: 'queued' | 'begun' | 'ended' | 'dropped' = 'queued';
    const isAt = (wanted: typeof stage): boolean => stage === wanted;
    void settled.then(() => {
      if (isAt('dropped')) return;
      stage = 'begun';
      const id = this.enter(limitMs);
      fn();
      if (this.leave(id)) stage = 'ended';
    });
    runQueued!();
    if (isAt('ended')) return true;
    if (isAt('queued')) {
      stage = 'dropped';
      return undefined;
    }
    Atomics.store(this.cells, ACTIVE, 0);
    return false;
  }

  private enter(limitMs: number): number {
    const { cells } = this;
    this.lastId = (this.lastId % MAX_ID) + 1;
    Atomics.store(cells, LIMIT_MS, limitMs);
    Atomics.store(cells, ACTIVE, this.lastId);
    Atomics.store(cells, BEGUN, this.lastId);
    if (Atomics.compareExchange(cells, ASLEEP, 1, 0) === 1) Atomics.notify(cells, ASLEEP);
    return this.lastId;
  }

  /** False when the code was to be terminated just now: it must not go on, or something else would be. */
  private leave(id: number): boolean {
    const { cells } = this;
    if (Atomics.compareExchange(cells, ACTIVE, id, 0) === id) return true;
    for (const until = performance.now() + CROSSED_MS; performance.now() < until && Atomics.load(cells, ANSWERED) !== id; );
    return false;
  }
}
