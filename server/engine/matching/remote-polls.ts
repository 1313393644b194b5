/** The task queues that are polled at other nodes, as they told a moment ago. */
import type { RemoteQueuePoll } from '../../storage/queue-polls.js';
import { type QueueName, queueKey } from '../../storage/tasks.js';

/** What a node has not heard of is taken as polled somewhere for so long: its first poll may be too new to have been told. */
const DOUBT_MS = 6_000;

export class RemotePolls {
  private lastPollMs = new Map<string, number>();
  private nodes = new Map<string, number>();
  private readonly firstAskedMs = new Map<string, number>();

  constructor(private readonly now: () => number) {}

  /** Replaces what was known. */
  heard(polls: readonly RemoteQueuePoll[]): void {
    this.lastPollMs = new Map(polls.map((p) => [queueKey(p.queue), p.lastPollMs]));
    this.nodes = new Map(polls.map((p) => [queueKey(p.queue), p.nodes]));
    for (const [key, askedMs] of this.firstAskedMs) if (askedMs < this.now() - 10 * DOUBT_MS) this.firstAskedMs.delete(key);
  }

  /** A worker said goodbye. */
  shutDown(queue: QueueName): void {
    const key = queueKey(queue);
    this.lastPollMs.delete(key);
    this.firstAskedMs.set(key, 0);
  }

  /** Milliseconds since the last poll at another node; Infinity when none is known of. */
  sinceLastPoll(queue: QueueName): number {
    const lastPollMs = this.lastPollMs.get(queueKey(queue));
    return lastPollMs === undefined ? Number.POSITIVE_INFINITY : this.now() - lastPollMs;
  }

  /** Other nodes at which a queue was polled lately. */
  nodesPolling(queue: QueueName): number {
    return this.nodes.get(queueKey(queue)) ?? 0;
  }

  /** Whether word of a poller of this queue may still be under way. */
  inDoubt(queue: QueueName): boolean {
    const key = queueKey(queue);
    const askedMs = this.firstAskedMs.get(key) ?? this.now();
    this.firstAskedMs.set(key, askedMs);
    return this.now() - askedMs < DOUBT_MS;
  }
}
