/**
 * Lets in as many requests as can be worked on at once; the rest waits its turn, finishing work before new work and one namespace after the
 * other. Nothing waits for ever: what would wait too long, or in too long a line, is refused with a hint when to come again.
 */
import { enums } from '../../core/api.js';
import { resourceExhausted, type ServiceError } from '../../core/errors.js';
import type { Call } from '../call.js';
import { LINES, type Line } from './call-kind.js';
import { FairQueue } from './fair-queue.js';
import type { LoadLimits } from './load-limits.js';

interface Waiter {
  readonly namespace: string;
  readonly bytes: number;
  readonly sinceMs: number;
  readonly admit: () => void;
  readonly refuse: (error: ServiceError) => void;
}

/** Starts are never held back below this: some work always begins. */
export const STARTS_MIN = 16;
/** What a busy moment leaves of the room for starts, and what a calm one adds to it. */
const BACK_OFF = 0.7;
const RECOVER = 1.1;
const RETRY_MS = 1_000;

export const overloaded = (message: string, retryMs: number): ServiceError =>
  resourceExhausted(message, {
    cause: enums.ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED,
    scope: enums.ResourceExhaustedScope.RESOURCE_EXHAUSTED_SCOPE_SYSTEM,
    retryMs,
  });

export class Admission {
  private inWork = 0;
  private startsInWork = 0;
  private bytesInWork = 0;
  private bytesQueued = 0;
  private startRoom: number;
  private closed = false;
  private readonly lines: Readonly<Record<Line, FairQueue<Waiter>>> = { finish: new FairQueue(), change: new FairQueue(), start: new FairQueue() };
  /** How many of each line were refused so far. */
  readonly refused: Record<Line, number> = { finish: 0, change: 0, start: 0 };

  constructor(
    private readonly limits: LoadLimits,
    private readonly now: () => number,
    private readonly random: () => number = Math.random,
  ) {
    this.startRoom = limits.requestsMax;
  }

  get working(): number {
    return this.inWork;
  }

  get queued(): number {
    return LINES.reduce((sum, line) => sum + this.lines[line].size, 0);
  }

  /** Starts that may be in work at once at present. */
  get roomForStarts(): number {
    return this.startRoom;
  }

  /** Takes one in: at once (undefined), or when its turn comes. Whoever was let in must `leave`. */
  enter(line: Line, namespace: string, bytes: number, call: Call): Promise<void> | undefined {
    const queue = this.lines[line];
    if (this.closed && line !== 'finish') throw this.refusal(line, 'The server is short of memory');
    if (queue.size === 0 && this.fits(line, bytes)) {
      this.admit(line, bytes);
      return undefined;
    }
    if (this.bytesQueued + bytes > this.limits.requestBytesMax) throw this.refusal(line, 'Too many bytes of requests wait for their turn');
    if (queue.size >= this.limits.queuedMax) this.makeRoom(line, namespace);
    return this.wait(line, namespace, bytes, call);
  }

  leave(line: Line, bytes: number): void {
    this.inWork--;
    this.bytesInWork -= bytes;
    if (line === 'start') this.startsInWork--;
    if (this.bytesQueued > 0) this.letIn();
  }

  /** Called some times a second with what was measured: starts get less room while the node is busy, and more when it is not. */
  adjust({ busy, critical }: { busy: boolean; critical: boolean }): void {
    this.closed = critical;
    const { requestsMax } = this.limits;
    this.startRoom = busy
      ? Math.max(Math.min(STARTS_MIN, requestsMax), Math.floor(this.startRoom * BACK_OFF))
      : Math.min(requestsMax, Math.ceil(this.startRoom * RECOVER));
    this.letIn();
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
    return this.startsInWork === 0 || (this.startsInWork < this.startRoom && this.inWork < requestsMax);
  }

  private admit(line: Line, bytes: number): void {
    this.inWork++;
    this.bytesInWork += bytes;
    if (line === 'start') this.startsInWork++;
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
    const { queuedMax } = this.limits;
    const full = queuedMax > 0 ? Math.min(1, this.lines[line].size / queuedMax) : 1;
    return overloaded(`${reason}; please retry later.`, RETRY_MS * (1 + 2 * full) * (0.7 + 0.6 * this.random()));
  }
}

/** Nobody reads it: the caller has gone. */
const gone = (): ServiceError => overloaded('The caller went away while its request waited.', RETRY_MS);
