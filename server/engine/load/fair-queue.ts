/** A queue that many share: one after the other has its turn, however many each has waiting. Among those of one owner, first come, first served. */

export class FairQueue<Item> {
  /** By owner, in the order of their turns. */
  private readonly owners = new Map<string, Item[]>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  push(owner: string, item: Item): void {
    const items = this.owners.get(owner);
    if (items) items.push(item);
    else this.owners.set(owner, [item]);
    this.count++;
  }

  /** Who is next, without taking it. */
  peek(): Item | undefined {
    return this.owners.values().next().value?.[0];
  }

  /** Takes the next; its owner's turn comes again after all the others'. */
  shift(): Item | undefined {
    const next = this.owners.entries().next().value;
    if (!next) return undefined;
    const [owner, items] = next;
    const item = items.shift();
    this.owners.delete(owner);
    if (items.length > 0) this.owners.set(owner, items);
    this.count--;
    return item;
  }

  remove(owner: string, item: Item): boolean {
    const items = this.owners.get(owner);
    const at = items?.indexOf(item) ?? -1;
    if (!items || at < 0) return false;
    items.splice(at, 1);
    if (items.length === 0) this.owners.delete(owner);
    this.count--;
    return true;
  }

  /** Takes the newest of whoever has most, provided that this is more than `owner` would have with one more. */
  takeFromLargest(owner: string): Item | undefined {
    let largest: [string, Item[]] | undefined;
    for (const entry of this.owners) if (!largest || entry[1].length > largest[1].length) largest = entry;
    if (!largest || largest[1].length <= (this.owners.get(owner)?.length ?? 0) + 1) return undefined;
    const item = largest[1].pop()!;
    if (largest[1].length === 0) this.owners.delete(largest[0]);
    this.count--;
    return item;
  }

  /** Takes from the front of every owner's items for as long as `isOver` says so. */
  takeWhile(isOver: (item: Item) => boolean): Item[] {
    const taken: Item[] = [];
    for (const [owner, items] of this.owners) {
      let over = 0;
      while (over < items.length && isOver(items[over]!)) over++;
      if (over === 0) continue;
      taken.push(...items.splice(0, over));
      if (items.length === 0) this.owners.delete(owner);
    }
    this.count -= taken.length;
    return taken;
  }
}
