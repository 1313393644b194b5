/** One thing at a time for each key, in the order of asking. */
export class SerialQueue {
  private readonly tails = new Map<string, Promise<unknown>>();

  get size(): number {
    return this.tails.size;
  }

  /** Whether something is under way or waits for a key. */
  has(key: string): boolean {
    return this.tails.has(key);
  }

  run<R>(key: string, work: () => Promise<R>): Promise<R> {
    const before = this.tails.get(key);
    const mine = before ? before.then(work, work) : work();
    this.tails.set(key, mine);
    const forget = (): void => {
      if (this.tails.get(key) === mine) this.tails.delete(key);
    };
    mine.then(forget, forget);
    return mine;
  }
}
