/**
 * Takes messages to their runs: those that this node has just committed, without reading them back, and those that it found lying in the
 * outbox. Messages for one workflow id go one batch after the other, in their order; different workflow ids do not wait for each other.
 */
import { messageBytes, type OutboxMessage } from '../core/message.js';

export interface CourierOptions {
  /** Delivers messages for one workflow id, in order. */
  readonly deliver: (messages: readonly OutboxMessage[]) => Promise<void>;
  /** A delivery failed: the messages stay in the outbox, and somebody will find them there. */
  readonly failed: (messages: readonly OutboxMessage[], error: unknown) => Promise<void>;
  /** Gives back what was not delivered when the node stops. */
  readonly release: (ids: readonly string[]) => Promise<void>;
}

/** Messages of one batch: enough to make a fan-out cheap, few enough for one commit. */
const BATCH_MAX = 100;
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
/** Bytes held here at most; what is beyond stays in the outbox until there is room. */
const HELD_BYTES_MAX = 64 * 1024 * 1024;

/** What goes in order. Calls to the world outside take their time, and nothing waits for them. */
const targetOf = ({ id, message: { kind, to } }: OutboxMessage): string =>
  kind === 'callback' ? id : `${to.namespaceId}/${to.workflowId}`;

export class Courier {
  private readonly queues = new Map<string, OutboxMessage[]>();
  /** Ids of the messages held here, with their bytes. */
  private readonly held = new Map<string, number>();
  private heldBytes = 0;
  private readonly working = new Set<Promise<void>>();
  private stopped = false;

  constructor(private readonly options: CourierOptions) {}

  /** Whether messages may be handed over now. */
  get hasRoom(): boolean {
    return !this.stopped && this.heldBytes < HELD_BYTES_MAX;
  }

  /** Whether messages are under way. */
  get busy(): boolean {
    return this.held.size > 0;
  }

  /** Takes messages over for delivery; one that is held already is not taken twice. */
  send(messages: readonly OutboxMessage[]): void {
    for (const sent of messages) {
      if (!this.hasRoom) return;
      if (this.held.has(sent.id)) continue;
      const bytes = messageBytes(sent.message);
      this.held.set(sent.id, bytes);
      this.heldBytes += bytes;
      this.queue(targetOf(sent), sent);
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
      const batch = waiting.splice(0, this.batchLength(waiting));
      try {
        await this.options.deliver(batch);
      } catch (error) {
        await this.options.failed(batch, error);
      }
      for (const { id } of batch) this.letGo(id);
    }
    this.queues.delete(target);
  }

  /** How many go together: the first, and more while they are not too much for one commit. */
  private batchLength(waiting: readonly OutboxMessage[]): number {
    let length = 0;
    for (let bytes = 0; length < Math.min(waiting.length, BATCH_MAX); length++) {
      bytes += this.held.get(waiting[length]!.id) ?? 0;
      if (bytes > BATCH_BYTES_MAX) break;
    }
    return Math.max(1, length);
  }

  private letGo(id: string): void {
    this.heldBytes -= this.held.get(id) ?? 0;
    this.held.delete(id);
  }

  /** Ends what is under way and gives the rest back. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.working);
    if (this.held.size > 0) await this.options.release([...this.held.keys()]);
  }
}
