/**
 * How long answers are tried to be delivered: without end while the worker runs, and for a bounded time once it stops,
 * so that a server that is away cannot keep it from stopping.
 */

import { setMaxListeners } from 'node:events';

const AFTER_STOP_MS = 10_000;

export class DeliveryLimit {
  private readonly running = new AbortController();
  // The controller's getter costs as much as what is done with its signal.
  private readonly whileRunning = this.running.signal;
  private timer: NodeJS.Timeout | undefined;

  constructor() {
    // Every delivery listens to it.
    setMaxListeners(0, this.whileRunning);
  }

  /** The signal that ends a delivery which begins now. */
  get signal(): AbortSignal {
    return this.timer === undefined ? this.whileRunning : AbortSignal.timeout(AFTER_STOP_MS);
  }

  /** The worker stops: deliveries under way have a bounded time left. */
  stop(): void {
    this.timer ??= setTimeout(() => this.running.abort(), AFTER_STOP_MS);
  }

  /** All is delivered. */
  end(): void {
    clearTimeout(this.timer);
  }
}
