/**
 * Lets in as many requests as can be worked on at once; the rest waits its turn, finishing work before new work and one namespace after the
 * other. Nothing waits for ever: what would wait too long, or in too long a line, is refused with a hint when to come again.
 */
import { enums } from '../../core/api.js';
import { resourceExhausted, type ServiceError } from '../../core/errors.js';
import type { Call } from '../call.js';
import { LINES, type Line } from './call-kind.js';
import { FairQueue } from './fair-queue.js';
import type { LoadState } from './load-meter.js';
import type { LoadLimits } from './load-limits.js';

interface Waiter {
  readonly namespace: string;
  readonly bytes: number;
  readonly sinceMs: number;
  readonly admit: () => void;
  readonly refuse: (error: ServiceError) => void;
}

/** What its decisions follow. */
type Measured = Pick<LoadState, 'busy' | 'behind' | 'late' | 'critical' | 'closedPerS' | 'elapsedMs' | 'taskWaitMs'>;

/** Starts a second that are let in whatever happens: some work always begins. */
export const STARTS_MIN = 20;
/** The same while nothing but workers is behind: so many cost a fraction of a core, and a queue for workers that are slow, or come tomorrow, is to be filled. */
export const STARTS_MIN_BEHIND = 400;
/** While ready tasks wait, so much begins of what ends: work in progress goes first, and newcomers are not shut out. */
const OF_CLOSED_MIN = 0.8;
const OF_CLOSED_MAX = 1.1;
/** Starts that may be let in at once are those of so long. */
const BURST_MS = 100;
/** What a busy moment leaves of the rate of starts, and what a calm one adds to it. */
const BACK_OFF = 0.85;
const RECOVER = 1.05;
/** So much more than what comes is as good as no limit. */
const UNLIMITED_FROM = 4;
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 15_000;
const PRESS = 3;
/** Share of the refusals of lately that still count at the next look, a tenth of a second later: they are remembered for two seconds. */
const REMEMBERED = 0.95;

export const overloaded = (message: string, retryMs: number): ServiceError =>
  resourceExhausted(message, {
    cause: enums.ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED,
    scope: enums.ResourceExhaustedScope.RESOURCE_EXHAUSTED_SCOPE_SYSTEM,
    retryMs,
  });

export class Admission {
  private inWork = 0;
  private startsInWork = 0;
  /** Starts that were let in since the last adjustment, and how many more may be. */
  private startsLetIn = 0;
  private startsLeft = Number.POSITIVE_INFINITY;
  private refilledMs = 0;
  private bytesInWork = 0;
  private bytesQueued = 0;
  private startsPerS = Number.POSITIVE_INFINITY;
  private closed = false;
  private refusedLately = 0;
  private readonly lines: Readonly<Record<Line, FairQueue<Waiter>>> = {
    finish: new FairQueue(),
    change: new FairQueue(),
    start: new FairQueue(),
  };
  /** How many of each line were refused so far. */
  readonly refused: Record<Line, number> = { finish: 0, change: 0, start: 0 };

  constructor(
    private readonly limits: LoadLimits,
    private readonly now: () => number,
    private readonly random: () => number = Math.random,
  ) {}

  get working(): number {
    return this.inWork;
  }

  get queued(): number {
    return LINES.reduce((sum, line) => sum + this.lines[line].size, 0);
  }

  /** Starts a second that are let in at present; Infinity: as many as come. */
  get rateOfStarts(): number {
    return this.startsPerS;
  }

  /** Takes one in: at once (undefined), or when its turn comes. Whoever was let in must `leave`. */
  enter(line: Line, namespace: string, bytes: number, call: Call): Promise<void> | undefined {
    const queue = this.lines[line];
    if (line === 'start') this.refill();
    if (this.closed && line !== 'finish') throw this.refusal(line, 'The server is short of memory');
    if (queue.size === 0 && this.fits(line, bytes)) {
      this.admit(line, bytes);
      return undefined;
    }
    if (this.bytesQueued + bytes > this.limits.requestBytesMax) throw this.refusal(line, 'Too many bytes of requests wait for their turn');
    // who will not have their turn in time waits all the same: many callers, when they are refused, come again at once
    if (queue.size >= this.limits.queuedMax) this.makeRoom(line, namespace);
    return this.wait(line, namespace, bytes, call);
  }

  leave(line: Line, bytes: number): void {
    this.inWork--;
    this.bytesInWork -= bytes;
    if (line === 'start') this.startsInWork--;
    if (this.bytesQueued > 0) {
      this.refill();
      this.letIn();
    }
  }

  /** Called some times a second with what was measured: fewer starts are let in while the node is busy, and more when it is not. */
  adjust({ busy, behind, late, critical, closedPerS, elapsedMs, taskWaitMs }: Measured): void {
    this.closed = critical;
    this.refusedLately *= REMEMBERED;
    const letInPerS = elapsedMs > 0 ? (this.startsLetIn / elapsedMs) * 1_000 : 0;
    if (behind) {
      this.startsPerS = Math.max(late ? STARTS_MIN : STARTS_MIN_BEHIND, closedPerS * this.shareOfClosed(taskWaitMs), Math.min(this.startsPerS, letInPerS) * BACK_OFF);
    } else if (busy) {
      this.startsPerS = Math.max(STARTS_MIN, closedPerS, Math.min(this.startsPerS, letInPerS) * BACK_OFF);
    } else if (this.startsPerS !== Number.POSITIVE_INFINITY) {
      const unlimited = this.lines.start.size === 0 && this.startsPerS > UNLIMITED_FROM * Math.max(STARTS_MIN, letInPerS);
      this.startsPerS = unlimited ? Number.POSITIVE_INFINITY : this.startsPerS * RECOVER;
    }
    this.startsLetIn = 0;
    this.refill();
    this.letIn();
  }

  /** Starts are let in at an even pace: those that come all at once fill the commits that workers' answers wait for. */
  private refill(): void {
    const nowMs = this.now();
    const most = Math.max(1, (this.startsPerS * BURST_MS) / 1_000);
    const grown = this.startsLeft === Number.POSITIVE_INFINITY ? 1 : this.startsLeft + (this.startsPerS * (nowMs - this.refilledMs)) / 1_000;
    this.startsLeft = this.startsPerS === Number.POSITIVE_INFINITY ? this.startsPerS : Math.min(most, grown);
    this.refilledMs = nowMs;
  }

  /** What begins of what ends. A little backlog is right: fewer begin while it is longer, more while it is shorter. */
  private shareOfClosed(taskWaitMs: number): number {
    return Math.max(OF_CLOSED_MIN, Math.min(OF_CLOSED_MAX, 1.2 - 0.2 * (taskWaitMs / this.limits.taskWaitMsMax)));
  }

  /** Refuses those that have waited too long. */
  sweep(): void {
    const beforeMs = this.now() - this.limits.queuedMsMax;
    for (const line of LINES) {
      const over = this.lines[line].takeWhile((waiter) => waiter.sinceMs <= beforeMs);
      for (const waiter of over) this.turnAway(line, waiter, 'The request waited too long for its turn');
    }
  }

  private fits(line: Line, bytes: number): boolean {
    const { requestsMax, requestBytesMax } = this.limits;
    if (this.bytesInWork > 0 && this.bytesInWork + bytes > requestBytesMax) return false;
    if (line === 'finish') return this.inWork < 2 * requestsMax;
    if (line === 'change') return this.inWork < requestsMax;
    return this.startsLeft >= 1 && (this.startsInWork === 0 || this.inWork < requestsMax);
  }

  private admit(line: Line, bytes: number): void {
    this.inWork++;
    this.bytesInWork += bytes;
    if (line !== 'start') return;
    this.startsInWork++;
    this.startsLetIn++;
    this.startsLeft--;
  }

  private letIn(): void {
    for (const line of LINES) {
      const queue = this.lines[line];
      for (let next = queue.peek(); next && this.fits(line, next.bytes); next = queue.peek()) {
        queue.shift();
        this.bytesQueued -= next.bytes;
        this.admit(line, next.bytes);
        next.admit();
      }
    }
  }

  private wait(line: Line, namespace: string, bytes: number, call: Call): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { namespace, bytes, sinceMs: this.now(), admit: resolve, refuse: reject };
      this.lines[line].push(namespace, waiter);
      this.bytesQueued += bytes;
      call.onCancelled(() => {
        if (!this.lines[line].remove(namespace, waiter)) return;
        this.bytesQueued -= bytes;
        reject(gone());
      });
    });
  }

  /** In a full line, whoever has most of it gives way to whoever has less. */
  private makeRoom(line: Line, namespace: string): void {
    const last = this.lines[line].takeFromLargest(namespace);
    if (!last) throw this.refusal(line, 'Too many requests wait for their turn');
    this.turnAway(line, last, 'Too many requests wait for their turn');
  }

  private turnAway(line: Line, waiter: Waiter, reason: string): void {
    this.bytesQueued -= waiter.bytes;
    waiter.refuse(this.refusal(line, reason));
  }

  /** Callers that were refused together do not come back together. */
  private refusal(line: Line, reason: string): ServiceError {
    this.refused[line]++;
    this.refusedLately++;
    // those that were refused lately come again: all of them together must not be more than can be looked at beside the work
    const pressMs = PRESS * (this.refusedLately / Math.max(STARTS_MIN, Math.min(this.startsPerS, this.limits.requestsMax))) * 1_000;
    return overloaded(`${reason}; please retry later.`, Math.min(RETRY_MS_MAX, RETRY_MS_MIN + pressMs) * (0.7 + 0.6 * this.random()));
  }
}

/** Nobody reads it: the caller has gone. */
const gone = (): ServiceError => overloaded('The caller went away while its request waited.', RETRY_MS_MIN);
