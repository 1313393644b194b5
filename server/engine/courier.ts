/**
 * Takes messages to their runs: those that this node has just committed, without reading them back, and those that it found lying in the
 * outbox. Messages for one workflow id go one batch after the other, in their order; different workflow ids do not wait for each other.
 */
import type { OutboxMessage } from '../core/message.js';

export interface CourierOptions {
  /** Delivers messages for one workflow id, in order. */
  readonly deliver: (messages: readonly OutboxMessage[]) => Promise<void>;
  /** A delivery failed: the messages stay in the outbox, and somebody will find them there. */
  readonly failed: (messages: readonly OutboxMessage[], error: unknown) => Promise<void>;
  /** Gives back what was not delivered when the node stops. */
  readonly release: (ids: readonly string[]) => Promise<void>;
}

/** Messages of one batch: enough to make a fan-out cheap, few enough for one commit. */
const BATCH_MAX = 32;
/** Messages held here at most; what is beyond stays in the outbox until there is room. */
const HELD_MAX = 20_000;

export class Courier {
  private readonly queues = new Map<string, OutboxMessage[]>();
  private readonly held = new Set<string>();
  private readonly working = new Set<Promise<void>>();
  private stopped = false;

  constructor(private readonly options: CourierOptions) {}

  /** Messages that may be handed over now. */
  get room(): number {
    return this.stopped ? 0 : HELD_MAX - this.held.size;
  }

  /** Takes messages over for delivery; one that is held already is not taken twice. */
  send(messages: readonly OutboxMessage[]): void {
    for (const sent of messages) {
      if (this.room <= 0) return;
      if (this.held.has(sent.id)) continue;
      this.held.add(sent.id);
      const { namespaceId, workflowId } = sent.message.to;
      this.queue(`${namespaceId}/${workflowId}`, sent);
    }
  }

  private queue(target: string, sent: OutboxMessage): void {
    const waiting = this.queues.get(target);
    if (waiting) {
      waiting.push(sent);
      return;
    }
    this.queues.set(target, [sent]);
    const work = this.work(target).finally(() => this.working.delete(work));
    this.working.add(work);
  }

  /** Delivers until nothing waits for that target. */
  private async work(target: string): Promise<void> {
    await Promise.resolve(); // what the same commit brings goes along
    const waiting = this.queues.get(target)!;
    while (waiting.length > 0 && !this.stopped) {
      const batch = waiting.splice(0, BATCH_MAX);
      try {
        await this.options.deliver(batch);
      } catch (error) {
        await this.options.failed(batch, error);
      }
      for (const { id } of batch) this.held.delete(id);
    }
    this.queues.delete(target);
  }

  /** Ends what is under way and gives the rest back. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.working);
    if (this.held.size > 0) await this.options.release([...this.held]);
  }
}
