/** First in, first out, also when there are thousands: taking the first of an array moves all the others. */

/** So many taken ones at least are left at the front before the rest moves up. */
const TAKEN_MIN = 64;

export class Fifo<Item> {
  private items: (Item | undefined)[] = [];
  private head = 0;

  get size(): number {
    return this.items.length - this.head;
  }

  get first(): Item | undefined {
    return this.items[this.head];
  }

  push(item: Item): void {
    this.items.push(item);
  }

  shift(): Item | undefined {
    if (this.size === 0) return undefined;
    const item = this.items[this.head];
    this.items[this.head++] = undefined;
    if (this.head >= TAKEN_MIN && this.head * 2 >= this.items.length) {
      this.items.splice(0, this.head);
      this.head = 0;
    }
    return item;
  }

  /** The newest. */
  pop(): Item | undefined {
    return this.size === 0 ? undefined : this.items.pop();
  }

  /** Quick for one that is near the front. */
  remove(item: Item): boolean {
    if (item === this.first) return this.shift() !== undefined;
    const at = this.items.indexOf(item, this.head);
    if (at < 0) return false;
    this.items.splice(at, 1);
    return true;
  }
}
