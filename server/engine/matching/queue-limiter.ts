/**
 * Holds back the tasks of one queue: all of them together, and those of each fairness key. Of a limit each node enforces its share: the limit,
 * divided by the nodes at which the queue is polled.
 */
import { afterChange, afterOne, type DispatchLimit, dispatchLimit, room } from '../../core/dispatch-limit.js';
import { effectiveWeight, type Fairness } from '../../core/fair-order.js';

export interface QueueRates {
  /** Of the whole queue; undefined: no limit. */
  readonly perSecond: number | undefined;
  /** Of each fairness key of weight 1; undefined: no limit. */
  readonly keyPerSecond: number | undefined;
  readonly weights: Readonly<Record<string, number>>;
}

/** Keys that are remembered. One that is forgotten has its burst again. */
const KEYS_MAX = 2_000;
/** Keys that a fetch passes by at most. */
const HELD_KEYS_MAX = KEYS_MAX;
/** A limit that held something back so lately is what the queue is short of. */
const HELD_LATELY_MS = 30_000;

export class QueueLimiter {
  private whole: DispatchLimit | undefined;
  private wholeReadyMs = 0;
  private each: DispatchLimit | undefined;
  private readonly keyReadyMs = new Map<string, number>();
  private weights: Readonly<Record<string, number>> = {};
  private heldMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly now: () => number) {}

  setRates({ perSecond, keyPerSecond, weights }: QueueRates): void {
    const nowMs = this.now();
    const whole = perSecond === undefined ? undefined : dispatchLimit(perSecond);
    const each = keyPerSecond === undefined ? undefined : dispatchLimit(keyPerSecond);
    if (whole?.intervalMs !== this.whole?.intervalMs) this.wholeReadyMs = whole ? afterChange(whole, this.wholeReadyMs, nowMs) : 0;
    if (!each) this.keyReadyMs.clear();
    else if (each.intervalMs !== this.each?.intervalMs) {
      for (const [key, readyMs] of this.keyReadyMs) this.keyReadyMs.set(key, afterChange(each, readyMs, nowMs));
    }
    this.whole = whole;
    this.each = each;
    this.weights = weights;
  }

  /** Takes the place of one task; undefined when it must wait. What comes back gives the place back. */
  take(fairness: Fairness): (() => void) | undefined {
    const { key } = fairness;
    const nowMs = this.now();
    const keyReadyMs = this.keyReadyMs.get(key) ?? 0;
    if (!this.mayGo(this.whole, this.wholeReadyMs, nowMs) || !this.mayGo(this.each, keyReadyMs, nowMs)) {
      this.heldMs = nowMs;
      return undefined;
    }
    const { whole } = this;
    const each = this.each && this.scaled(this.each, fairness);
    if (whole) this.wholeReadyMs = afterOne(whole, this.wholeReadyMs, nowMs);
    if (each) this.remember(key, afterOne(each, keyReadyMs, nowMs));
    return () => {
      if (whole) this.wholeReadyMs -= whole.intervalMs;
      const readyMs = each && this.keyReadyMs.get(key);
      if (readyMs !== undefined) this.keyReadyMs.set(key, readyMs - each!.intervalMs);
    };
  }

  /** How many tasks of the queue may go now, whatever their keys. */
  get room(): number {
    return this.whole ? room(this.whole, this.wholeReadyMs, this.now()) : Number.POSITIVE_INFINITY;
  }

  /** Something waits, and the limit is why. */
  held(): void {
    this.heldMs = this.now();
  }

  get heldLately(): boolean {
    return this.now() - this.heldMs < HELD_LATELY_MS;
  }

  /** Keys whose tasks must wait. */
  heldKeys(): string[] {
    const nowMs = this.now();
    const held: string[] = [];
    for (const [key, readyMs] of this.keyReadyMs) if (readyMs > nowMs && held.push(key) === HELD_KEYS_MAX) break;
    return held;
  }

  /** Milliseconds until something more may go: the queue as a whole, or one more key; Infinity when nothing changes by waiting. */
  readyInMs(): number {
    const nowMs = this.now();
    let inMs = this.whole && this.wholeReadyMs > nowMs ? this.wholeReadyMs - nowMs : Number.POSITIVE_INFINITY;
    if (inMs < Number.POSITIVE_INFINITY || (this.whole && this.room === 0)) return inMs;
    for (const readyMs of this.keyReadyMs.values()) if (readyMs > nowMs) inMs = Math.min(inMs, readyMs - nowMs);
    return inMs;
  }

  private mayGo(limit: DispatchLimit | undefined, readyMs: number, nowMs: number): boolean {
    return !limit || (readyMs <= nowMs && limit.intervalMs < Number.POSITIVE_INFINITY);
  }

  private scaled(limit: DispatchLimit, fairness: Fairness): DispatchLimit {
    return { ...limit, intervalMs: limit.intervalMs / effectiveWeight(fairness, this.weights) };
  }

  private remember(key: string, readyMs: number): void {
    this.keyReadyMs.delete(key);
    this.keyReadyMs.set(key, readyMs);
    if (this.keyReadyMs.size > KEYS_MAX) this.keyReadyMs.delete(this.keyReadyMs.keys().next().value!);
  }
}
