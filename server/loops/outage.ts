/**
 * When the last outage ended: the engine was down, or the database did not answer. The core then gives workers a moment (see core/outage.ts). A node that
 * comes to others leaves to them what fell due before it came, for that moment.
 */
import { GRACE_MS } from '../core/outage.js';

export class Outage {
  private failing = false;
  private cameToOthers = false;
  /** 0 = there was none. */
  endedMs = 0;

  /** The engine starts. */
  started(nowMs: number, { others = false } = {}): void {
    this.endedMs = nowMs;
    this.cameToOthers = others;
  }

  /** The database did not answer. */
  failed(): void {
    this.failing = true;
  }

  /** The database answers. */
  answered(nowMs: number): void {
    if (this.failing) this.started(nowMs);
    this.failing = false;
  }

  /** Deadlines up to this moment are left to others; 0 = none is. */
  leftToOthersUpTo(nowMs: number): number {
    return this.cameToOthers && nowMs < this.endedMs + GRACE_MS ? this.endedMs : 0;
  }

  /** Milliseconds until this node looks at those as well; Infinity when there are none. */
  leftToOthersForMs(nowMs: number): number {
    return this.leftToOthersUpTo(nowMs) > 0 ? this.endedMs + GRACE_MS - nowMs : Number.POSITIVE_INFINITY;
  }
}
