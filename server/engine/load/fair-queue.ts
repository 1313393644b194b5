/** A queue that many share: one after the other has its turn, however many each has waiting. Among those of one owner, first come, first served. */
import { Fifo } from './fifo.js';

export class FairQueue<Item> {
  /** By owner, in the order of their turns. */
  private readonly owners = new Map<string, Fifo<Item>>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  push(owner: string, item: Item): void {
    let items = this.owners.get(owner);
    if (!items) {
      items = new Fifo();
      this.owners.set(owner, items);
    }
    items.push(item);
    this.count++;
  }

  /** Who is next, without taking it. */
  peek(): Item | undefined {
    return this.owners.values().next().value?.first;
  }

  /** Takes the next; its owner's turn comes again after all the others'. */
  shift(): Item | undefined {
    const next = this.owners.entries().next().value;
    if (!next) return undefined;
    const [owner, items] = next;
    const item = items.shift();
    this.owners.delete(owner);
    if (items.size > 0) this.owners.set(owner, items);
    this.count--;
    return item;
  }

  remove(owner: string, item: Item): boolean {
    const items = this.owners.get(owner);
    if (!items?.remove(item)) return false;
    if (items.size === 0) this.owners.delete(owner);
    this.count--;
    return true;
  }

  /** Takes the newest of whoever has most, provided that this is more than `owner` would have with one more. */
  takeFromLargest(owner: string): Item | undefined {
    let largest: [string, Fifo<Item>] | undefined;
    for (const entry of this.owners) if (!largest || entry[1].size > largest[1].size) largest = entry;
    if (!largest || largest[1].size <= (this.owners.get(owner)?.size ?? 0) + 1) return undefined;
    const item = largest[1].pop()!;
    if (largest[1].size === 0) this.owners.delete(largest[0]);
    this.count--;
    return item;
  }

  /** Takes from the front of every owner's items for as long as `isOver` says so. */
  takeWhile(isOver: (item: Item) => boolean): Item[] {
    const taken: Item[] = [];
    for (const [owner, items] of this.owners) {
      while (items.first !== undefined && isOver(items.first)) taken.push(items.shift()!);
      if (items.size === 0) this.owners.delete(owner);
    }
    this.count -= taken.length;
    return taken;
  }
}
