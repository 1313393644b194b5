/**
 * The clock of test mode. It runs like any other while something is under way, and jumps to the next moment at which something is due when
 * nothing is: a workflow that sleeps a month is over at once.
 *
 * What is under way holds the time. It counts one for each workflow task that waits or runs, for each attempt of an activity that waits or runs, and
 * for each lock of a caller; the time may jump while that sum is zero. Callers' unlocks count against the same sum, so that an activity which sleeps by
 * `UnlockTimeSkippingWithSleep` takes back its own hold. Commits, messages between runs and queries under way are waited out besides.
 */
import { nextDeadline } from '../core/deadline.js';
import { failedPrecondition } from '../core/errors.js';
import { isRunning } from '../core/kinds/run.js';
import type { RunState } from '../core/run-state.js';
import type { CommitItem, CommitResult } from '../storage/commit-item.js';
import type { Clock } from './engine.js';

export interface TimeSkippingOptions {
  /** Real time. */
  readonly wall: Clock;
  /** What the clock says at the start. Default: real time. */
  readonly startMs?: number | undefined;
  /** Locks that are there at the start. */
  readonly locks: number;
  /** Whether something is under way that no run's state tells of. */
  readonly busy: () => boolean;
  /** The time has jumped, or something fell due. */
  readonly due: () => void;
}

/** What a run means for the clock. */
interface KnownRun {
  readonly namespaceId: string;
  readonly holds: number;
  /** Infinity: nothing is ever due. */
  readonly dueMs: number;
}

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/** How soon to look again while commits, messages or queries are under way. */
const LOOK_AGAIN_MS = 2;
/** Runs that are due at the same moment go first, so that a test which has slept sees what that moment brought; but not for ever. */
const RUNS_FIRST_MS = 1_000;
/** What is due should be under way by then. */
const STANDS_MAX_MS = 1_000;
/** Longest wait of a Node timer. */
const TIMER_MAX_MS = 0x7fffffff;

export class TimeSkipping implements Clock {
  /** How far the clock is ahead of real time. */
  private aheadMs = 0;
  /** After a jump the clock stands there until what is due then is under way: a timer of an hour fires after an hour and not a millisecond more. */
  private standing: { readonly atMs: number; readonly sinceMs: number } | undefined;
  private readonly runs = new Map<string, KnownRun>();
  private holds = 0;
  private locks: number;
  private commits = 0;
  private readonly sleepers = new Set<Sleeper>();
  private looking = false;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(private readonly options: TimeSkippingOptions) {
    this.locks = options.locks;
    if (options.startMs !== undefined) this.aheadMs = options.startMs - options.wall.now();
  }

  now(): number {
    return this.standing?.atMs ?? this.options.wall.now() + this.aheadMs;
  }

  /** One more lock. */
  lock(): void {
    this.locks++;
    this.run();
  }

  /** One lock less. @throws ServiceError when nothing holds the time. */
  unlock(): void {
    if (this.locks + this.holds <= 0) throw failedPrecondition('time skipping is not locked: every unlock needs a lock before it');
    this.locks--;
    this.look();
  }

  /** Calls back once the time has come. Returns what takes that back. */
  at(atMs: number, wake: () => void): () => void {
    const sleeper = { atMs, wake };
    this.sleepers.add(sleeper);
    this.look();
    return () => this.sleepers.delete(sleeper);
  }

  /** Follows a commit: while it is under way the time stands by, and what it wrote is taken note of. */
  async watch(item: CommitItem, committed: Promise<CommitResult>): Promise<CommitResult> {
    this.commits++;
    try {
      const result = await committed;
      if (result === 'done') for (const { state } of item.runs) this.saw(state);
      return result;
    } finally {
      this.commits--;
      this.look();
    }
  }

  /** Takes note of a run as it stands now. */
  saw(state: RunState): void {
    const { runId, namespaceId } = state.info;
    this.holds -= this.runs.get(runId)?.holds ?? 0;
    this.runs.delete(runId);
    const open = { namespaceId, holds: isRunning(state) ? holdsOf(state) : 0, dueMs: dueOf(state) };
    this.holds += open.holds;
    if (this.locks + this.holds > 0) this.run();
    if (open.holds > 0 || open.dueMs < Number.POSITIVE_INFINITY) this.runs.set(runId, open);
  }

  /** A namespace is gone, with whatever was open in it. */
  forget(namespaceId: string): void {
    for (const [runId, run] of this.runs) {
      if (run.namespaceId !== namespaceId) continue;
      this.holds -= run.holds;
      this.runs.delete(runId);
    }
    this.look();
  }

  /** The runs that were there before are known. */
  start(): void {
    this.look();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** Looks, once what happens right now has happened. */
  private look(): void {
    if (this.looking || this.stopped) return;
    this.looking = true;
    setImmediate(() => {
      this.looking = false;
      if (!this.stopped) this.move();
    });
  }

  private move(): void {
    clearTimeout(this.timer);
    const runsDueMs = this.firstRunDue();
    this.wakeSleepers(runsDueMs);
    const nextMs = Math.min(runsDueMs, this.firstSleeperDue());
    if (nextMs === Number.POSITIVE_INFINITY) {
      this.run();
      return;
    }
    const leftMs = nextMs - this.now();
    if (this.locks + this.holds > 0) this.lookIn(leftMs);
    else if (this.commits > 0 || this.options.busy()) this.lookIn(Math.min(leftMs, LOOK_AGAIN_MS));
    else {
      if (leftMs > 0) this.standing = { atMs: Math.ceil(nextMs), sinceMs: this.options.wall.now() };
      else if (this.standing && this.options.wall.now() - this.standing.sinceMs > STANDS_MAX_MS) this.run();
      this.options.due();
      this.lookIn(0);
    }
  }

  /** The clock runs on from where it stands. */
  private run(): void {
    if (!this.standing) return;
    this.aheadMs = this.standing.atMs - this.options.wall.now();
    this.standing = undefined;
  }

  /** A moment that has come is looked at again a little later: what is due then is under way. */
  private lookIn(ms: number): void {
    this.timer = setTimeout(() => this.look(), ms > 0 ? Math.min(ms, TIMER_MAX_MS) : LOOK_AGAIN_MS);
  }

  private wakeSleepers(runsDueMs: number): void {
    const nowMs = this.now();
    for (const sleeper of this.sleepers) {
      if (sleeper.atMs > nowMs) continue;
      if (runsDueMs <= sleeper.atMs && nowMs - sleeper.atMs < RUNS_FIRST_MS) continue;
      this.sleepers.delete(sleeper);
      sleeper.wake();
    }
  }

  private firstRunDue(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.runs.values()) first = Math.min(first, dueMs);
    return first;
  }

  private firstSleeperDue(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { atMs } of this.sleepers) first = Math.min(first, atMs);
    return first;
  }
}

/** When something of a run is due next, its completion callbacks included; Infinity = never. */
function dueOf(state: RunState): number {
  const waiting = state.callbacks.flatMap(({ calls }) => (calls?.state === 'backing-off' ? [calls.nextMs] : []));
  return Math.min(...[nextDeadline(state), ...waiting].filter((ms) => ms > 0), Number.POSITIVE_INFINITY);
}

/** How many things of a run are under way. A backoff, a pause and a timer are not. */
function holdsOf(state: RunState): number {
  let holds = state.workflowTask ? 1 : 0;
  for (const id in isRunning(state) ? state.activities : {}) {
    const { startedMs, queued, paused } = state.activities[id]!;
    if (startedMs > 0 || (queued && !paused)) holds++;
  }
  return holds;
}
