/** A limit on how many tasks begin each second. */
import { wait } from './poller.js';

/** Hands out one token every `1 / perSecond` seconds; what nobody takes is not saved up. */
export class RateLimiter {
  private nextAtMs = 0;

  /** @param perSecond Tasks each second; fractions are fine. */
  constructor(
    private readonly perSecond: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    if (!(perSecond > 0)) throw new TypeError(`Invalid rate: expected a number above 0, got ${perSecond}`);
  }

  /** Waits for the next token, or until the signal aborts. */
  async take(signal: AbortSignal): Promise<void> {
    const now = this.now();
    const at = Math.max(now, this.nextAtMs);
    this.nextAtMs = at + 1000 / this.perSecond;
    if (at > now) await wait(at - now, signal);
  }
}
