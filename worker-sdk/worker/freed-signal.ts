/** Wakes those who wait for a slot, in order, one for each that is freed. */

export class FreedSignal {
  private readonly waiting: (() => void)[] = [];

  /** Wakes the first. */
  tell(): void {
    this.waiting.shift()?.();
  }

  /** Waits until it is woken, the signal aborts, or `atMostMs` have passed. */
  wait(signal: AbortSignal, atMostMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        const index = this.waiting.indexOf(done);
        if (index >= 0) this.waiting.splice(index, 1);
        done();
      };
      const timer = atMostMs === undefined ? undefined : setTimeout(leave, atMostMs);
      this.waiting.push(done);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
