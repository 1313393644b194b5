/** Starts that wait for their turn: fair among namespaces, and to be found by the queue at which their first task will lie. */
import { FairQueue } from './fair-queue.js';
import { Fifo } from './fifo.js';

export class StartLine<Item extends { readonly queue: string | undefined }> extends FairQueue<Item> {
  private readonly byQueue = new Map<string, Fifo<Item>>();

  /** Queues for whose polls somebody waits. */
  get queues(): Iterable<string> {
    return this.byQueue.keys();
  }

  hasAt(queue: string): boolean {
    return this.byQueue.has(queue);
  }

  /** Who has waited longest of those at a queue. */
  peekAt(queue: string): Item | undefined {
    return this.byQueue.get(queue)?.first;
  }

  override push(owner: string, item: Item): void {
    super.push(owner, item);
    if (item.queue === undefined) return;
    let items = this.byQueue.get(item.queue);
    if (!items) {
      items = new Fifo();
      this.byQueue.set(item.queue, items);
    }
    items.push(item);
  }

  override shift(): Item | undefined {
    return this.gone(super.shift());
  }

  override remove(owner: string, item: Item): boolean {
    if (!super.remove(owner, item)) return false;
    this.gone(item);
    return true;
  }

  override takeFromLargest(owner: string): Item | undefined {
    return this.gone(super.takeFromLargest(owner));
  }

  override takeWhile(isOver: (item: Item) => boolean): Item[] {
    const taken = super.takeWhile(isOver);
    for (const item of taken) this.gone(item);
    return taken;
  }

  private gone<Gone extends Item | undefined>(item: Gone): Gone {
    const items = item?.queue === undefined ? undefined : this.byQueue.get(item.queue);
    if (!item || !items) return item;
    items.remove(item); // nearly always the first
    if (items.size === 0) this.byQueue.delete(item.queue!);
    return item;
  }
}
