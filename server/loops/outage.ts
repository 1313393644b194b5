/**
 * After an outage (the engine was down, the database did not answer) workers need a moment to hand in what they finished meanwhile. Until they had it,
 * what fell due during the outage is not fired: a step whose result is on its way is not done twice. What falls due later fires in time.
 */
const GRACE_MS = 3_000;

export class Outage {
  private failing = false;
  /** When the last one ended; 0 = there was none. */
  endedMs = 0;

  /** The engine starts, alone: nobody served before it. */
  started(nowMs: number): void {
    this.endedMs = nowMs;
  }

  /** The database did not answer. */
  failed(): void {
    this.failing = true;
  }

  /** The database answers. */
  answered(nowMs: number): void {
    if (this.failing) this.endedMs = nowMs;
    this.failing = false;
  }

  /** Deadlines up to this moment wait; 0 = none does. */
  waitingUpTo(nowMs: number): number {
    return nowMs < this.endedMs + GRACE_MS ? this.endedMs : 0;
  }

  /** Milliseconds until those that wait may fire; Infinity when none does. */
  graceLeftMs(nowMs: number): number {
    return nowMs < this.endedMs + GRACE_MS ? this.endedMs + GRACE_MS - nowMs : Number.POSITIVE_INFINITY;
  }
}
