/**
 * The clock of test mode. It runs like any other while something is under way, and jumps to the next moment at which something is due when
 * nothing is: a workflow that sleeps a month is over at once.
 *
 * What is under way holds the time: each workflow task that waits or runs, each attempt of an activity that waits or runs, and each lock of a caller.
 * Callers that wait for a result unlock and lock again; several may do so at once. A caller that sleeps sets aside a lock while it does, or, where there is
 * none, one activity: it is that activity which sleeps. Commits, messages between runs and queries under way are waited out besides.
 */
import type { RunState } from '../core/run-state.js';
import type { CommitItem, CommitResult } from '../storage/commit-item.js';
import type { Clock } from './engine.js';
import { RunsInTime } from './runs-in-time.js';

export interface TimeSkippingOptions {
  /** Real time. */
  readonly wall: Clock;
  /** What the clock says at the start. Default: real time. */
  readonly startMs?: number | undefined;
  /** Locks that are there at the start. */
  readonly locks: number;
  /** Whether something is under way that no run's state tells of. */
  readonly busy: () => boolean;
  /** These runs are due; none: what was due should have been done by now. */
  readonly due: (runIds: readonly string[]) => void;
}

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
  /** What does not hold the time while it sleeps. */
  readonly setsAside: 'nothing' | 'lock' | 'activity';
}

/** How soon to look again while commits, messages or queries are under way. */
const LOOK_AGAIN_MS = 2;
/** What is due is usually done by then; else whoever looks for what is due has to look again. */
const REMIND_MS = 100;
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
  private readonly runs = new RunsInTime();
  private locks: number;
  private commits = 0;
  private readonly sleepers = new Set<Sleeper>();
  private remindedMs = 0;
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
    if (this.isHeld()) this.run();
  }

  /** One lock less; there may be fewer than none while several callers wait. */
  unlock(): void {
    this.locks--;
    this.look();
  }

  /** Calls back once the time has come. Returns what takes that back. */
  at(atMs: number, wake: () => void): () => void {
    return this.sleep({ atMs, wake, setsAside: 'nothing' });
  }

  /** The same, without a lock of the caller's; or, when none is left to set aside, without the activity that the caller is taken for. */
  unlockedAt(atMs: number, wake: () => void): () => void {
    const isActivity = this.lockedBy() === 0 && this.runs.activities > this.setAside('activity');
    return this.sleep({ atMs, wake, setsAside: isActivity ? 'activity' : 'lock' });
  }

  private sleep(sleeper: Sleeper): () => void {
    this.sleepers.add(sleeper);
    this.look();
    return () => {
      if (this.sleepers.delete(sleeper) && this.isHeld()) this.run();
    };
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
    this.runs.saw(state);
    if (this.isHeld()) this.run();
  }

  /** A namespace is gone, with whatever was open in it. */
  forget(namespaceId: string): void {
    this.runs.forget(namespaceId);
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
    const nextMs = Math.min(this.runs.firstDueMs(), this.firstSleeperDue());
    if (nextMs === Number.POSITIVE_INFINITY) {
      this.run();
      return;
    }
    if (nextMs > this.now() && !this.isHeld()) {
      if (this.commits > 0 || this.options.busy()) {
        this.lookIn(LOOK_AGAIN_MS);
        return;
      }
      this.standing = { atMs: Math.ceil(nextMs), sinceMs: this.options.wall.now() };
    }
    this.fireDue();
    this.wakeSleepers();
    this.lookWhenNeeded();
  }

  /** At the next moment at which something is due, and soon for what is under way. */
  private lookWhenNeeded(): void {
    const nowMs = this.now();
    const { firstMs, asked } = this.runs.ahead();
    let inMs = Math.min(firstMs - nowMs, asked ? REMIND_MS : TIMER_MAX_MS);
    for (const { atMs } of this.sleepers) inMs = Math.min(inMs, Math.max(atMs - nowMs, LOOK_AGAIN_MS));
    this.lookIn(Math.max(inMs, 0));
  }

  /** Asks once for what is due, and again when nothing has come of it. */
  private fireDue(): void {
    const nowMs = this.now();
    const wallMs = this.options.wall.now();
    if (this.standing && wallMs - this.standing.sinceMs > STANDS_MAX_MS) this.run();
    const fresh = this.runs.askFor(nowMs);
    if (fresh.length > 0) this.options.due(fresh);
    else if (this.runs.ahead().asked && wallMs - this.remindedMs >= REMIND_MS) this.options.due([]);
    else return;
    this.remindedMs = wallMs;
  }

  /** The clock runs on from where it stands. */
  private run(): void {
    if (!this.standing) return;
    this.aheadMs = this.standing.atMs - this.options.wall.now();
    this.standing = undefined;
  }

  private lookIn(ms: number): void {
    this.timer = setTimeout(() => this.look(), ms);
  }

  private wakeSleepers(): void {
    const nowMs = this.now();
    const runsDueMs = this.runs.firstDueMs();
    for (const sleeper of this.sleepers) {
      if (sleeper.atMs > nowMs) continue;
      if (runsDueMs <= sleeper.atMs && nowMs - sleeper.atMs < RUNS_FIRST_MS) continue;
      this.sleepers.delete(sleeper);
      if (this.isHeld()) this.run();
      sleeper.wake();
      this.look(); // others may sleep on
    }
  }

  private isHeld(): boolean {
    return this.lockedBy() > 0 || this.runs.holds > this.setAside('activity');
  }

  /** Locks that are not set aside. */
  private lockedBy(): number {
    return Math.max(0, this.locks - this.setAside('lock'));
  }

  private setAside(what: Sleeper['setsAside']): number {
    let count = 0;
    for (const { setsAside } of this.sleepers) if (setsAside === what) count++;
    return count;
  }

  private firstSleeperDue(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { atMs } of this.sleepers) first = Math.min(first, atMs);
    return first;
  }
}
