/**
 * Lets in as many requests as can be worked on at once; the rest waits its turn, finishing work before new work and one namespace after the
 * other. Nothing waits for ever: what would wait too long, or in too long a line, is refused with a hint when to come again.
 * While there is no time left, a start comes in when a worker waits for its first task. So many more may come without one, by a rate.
 */
import { enums } from '../../core/api.js';
import { resourceExhausted, type ServiceError } from '../../core/errors.js';
import type { Ticket, Turn } from '../call.js';
import { LINES, type Line } from './call-kind.js';
import { FairQueue } from './fair-queue.js';
import { StartLine } from './start-line.js';
import type { LoadState } from './load-meter.js';
import type { LoadLimits } from './load-limits.js';

/** Whose a call is, and, of a start, the queue at which its first task will lie, if that is known. */
export interface Address {
  readonly namespace: string;
  readonly queue?: string | undefined;
}

class Waiter implements Ticket {
  readonly namespace: string;
  readonly queue: string | undefined;

  constructor(
    private readonly admission: Admission,
    readonly line: Line,
    { namespace, queue }: Address,
    readonly bytes: number,
    readonly sinceMs: number,
    readonly turn: Turn,
  ) {
    this.namespace = namespace;
    this.queue = queue;
  }

  withdraw(): void {
    this.admission.withdraw(this);
  }

  refuse(): void {
    this.admission.refuse(this);
  }
}

/** What its decisions follow. */
type Measured = Pick<LoadState, 'busy' | 'behind' | 'late' | 'critical' | 'closedPerS' | 'elapsedMs' | 'noTimeLeft'>;

/** Whether a worker waits for the first task of a start, and nobody else was promised its poll: then it is promised. */
export type PromisePoll = (queue: string) => boolean;

/** Starts a second that are let in whatever happens: some work always begins. */
export const STARTS_MIN = 20;
/** The same while nothing but workers is behind: so many cost a fraction of a core, and a queue for workers that are slow, or come tomorrow, is to be filled. */
export const STARTS_MIN_BEHIND = 400;
/** Starts that may be let in at once are those of so long. */
const BURST_MS = 100;
/** What a busy moment leaves of the rate of starts; the same while tasks wait for workers, when those that workers wait for come in besides; what a calm one adds. */
const BACK_OFF = 0.85;
const BACK_OFF_BEHIND = 0.5;
const RECOVER = 1.05;
/** The same while there is no time left: more is tried, a little. */
const RECOVER_SHORT = 1.01;
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
  private late = false;
  private refusedLately = 0;
  private readonly starts = new StartLine<Waiter>();
  private readonly lines: Readonly<Record<Line, FairQueue<Waiter>>> = {
    finish: new FairQueue(),
    change: new FairQueue(),
    start: this.starts,
  };
  /** How many of each line were refused so far. */
  readonly refused: Record<Line, number> = { finish: 0, change: 0, start: 0 };

  constructor(
    private readonly limits: LoadLimits,
    private readonly now: () => number,
    private readonly promisePoll: PromisePoll,
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
  enter(line: Line, address: Address, bytes: number, turn: Turn): Ticket | undefined {
    if (line === 'start') this.refill();
    if (this.closed && line !== 'finish') throw this.refusal(line, 'The server is short of memory');
    if (this.mayEnter(line, address, bytes)) {
      this.admit(line, bytes);
      return undefined;
    }
    if (this.bytesQueued + bytes > this.limits.requestBytesMax) throw this.refusal(line, 'Too many bytes of requests wait for their turn');
    // who will not have their turn in time waits all the same: many callers, when they are refused, come again at once
    if (this.lines[line].size >= this.limits.queuedMax) this.makeRoom(line, address.namespace);
    const waiter = new Waiter(this, line, address, bytes, this.now(), turn);
    this.lines[line].push(address.namespace, waiter);
    this.bytesQueued += bytes;
    return waiter;
  }

  /** A poll waits for a task of that queue: if a start waits for a poll, this is its turn. */
  pollCame(queue: string): void {
    for (let next = this.starts.peekAt(queue); next && this.isExpected(queue, next.bytes); next = this.starts.peekAt(queue)) {
      this.starts.remove(next.namespace, next);
      this.letThrough(next);
    }
  }

  /** Its caller does not wait any more. */
  withdraw(waiter: Waiter): void {
    if (this.lines[waiter.line].remove(waiter.namespace, waiter)) this.bytesQueued -= waiter.bytes;
  }

  /** Its caller has no room for it any more. */
  refuse(waiter: Waiter): void {
    const { line, namespace } = waiter;
    if (this.lines[line].remove(namespace, waiter)) this.turnAway(line, waiter, 'Too many requests of one connection wait for their turn');
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
  adjust({ busy, behind, late, critical, closedPerS, elapsedMs, noTimeLeft }: Measured): void {
    this.closed = critical;
    this.late = late;
    this.refusedLately *= REMEMBERED;
    const letInPerS = elapsedMs > 0 ? (this.startsLetIn / elapsedMs) * 1_000 : 0;
    if (behind) {
      this.startsPerS = Math.max(late ? STARTS_MIN : STARTS_MIN_BEHIND, Math.min(this.startsPerS, letInPerS) * BACK_OFF_BEHIND);
    } else if (busy) {
      this.startsPerS = Math.max(STARTS_MIN, closedPerS, Math.min(this.startsPerS, letInPerS) * BACK_OFF);
    } else if (this.startsPerS !== Number.POSITIVE_INFINITY) {
      const unlimited = this.lines.start.size === 0 && this.startsPerS > UNLIMITED_FROM * Math.max(STARTS_MIN, letInPerS);
      this.startsPerS = unlimited ? Number.POSITIVE_INFINITY : this.startsPerS * (noTimeLeft ? RECOVER_SHORT : RECOVER);
    }
    this.startsLetIn = 0;
    this.refill();
    this.letIn();
    for (const queue of this.starts.queues) this.pollCame(queue);
  }

  /** Starts are let in at an even pace: those that come all at once fill the commits that workers' answers wait for. */
  private refill(): void {
    const nowMs = this.now();
    const most = this.burst;
    const grown = this.startsLeft === Number.POSITIVE_INFINITY ? 1 : this.startsLeft + (this.startsPerS * (nowMs - this.refilledMs)) / 1_000;
    this.startsLeft = this.startsPerS === Number.POSITIVE_INFINITY ? this.startsPerS : Math.min(most, grown);
    this.refilledMs = nowMs;
  }

  private get burst(): number {
    return Math.max(1, (this.startsPerS * BURST_MS) / 1_000);
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

  /** Somebody waits for the first task of this start: it finds a worker within its own commit, which is as cheap as a workflow can begin. */
  private isExpected(queue: string, bytes: number): boolean {
    const { requestsMax, requestBytesMax } = this.limits;
    if (this.late || this.closed || this.inWork >= requestsMax || this.bytesInWork + bytes > requestBytesMax) return false;
    return this.promisePoll(queue);
  }

  /** At once, if those that wait are passed by nobody's fault: their queues have no poll, or nobody waits. */
  private mayEnter(line: Line, { queue }: Address, bytes: number): boolean {
    if (this.lines[line].size === 0 && this.fits(line, bytes)) return true;
    return line === 'start' && queue !== undefined && !this.starts.hasAt(queue) && this.isExpected(queue, bytes);
  }

  private letThrough({ line, bytes, turn }: Waiter): void {
    this.bytesQueued -= bytes;
    this.admit(line, bytes);
    turn.begin();
  }

  private admit(line: Line, bytes: number): void {
    this.inWork++;
    this.bytesInWork += bytes;
    if (line !== 'start') return;
    this.startsInWork++;
    this.startsLetIn++;
    // those that a poll waits for use up the rate as well, so that as many fewer come without one
    this.startsLeft = Math.max(this.startsLeft - 1, -this.burst);
  }

  private letIn(): void {
    for (const line of LINES) {
      const queue = this.lines[line];
      for (let next = queue.peek(); next && this.fits(line, next.bytes); next = queue.peek()) {
        queue.shift();
        this.letThrough(next);
      }
    }
  }

  /** In a full line, whoever has most of it gives way to whoever has less. */
  private makeRoom(line: Line, namespace: string): void {
    const last = this.lines[line].takeFromLargest(namespace);
    if (!last) throw this.refusal(line, 'Too many requests wait for their turn');
    this.turnAway(line, last, 'Too many requests wait for their turn');
  }

  private turnAway(line: Line, waiter: Waiter, reason: string): void {
    this.bytesQueued -= waiter.bytes;
    waiter.turn.refuse(this.refusal(line, reason));
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
