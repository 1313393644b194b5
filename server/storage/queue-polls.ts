/** Which task queues are polled at which node: what a node tells the others of its pollers from time to time. */
import type { Database } from './database.js';
import type { QueueName } from './tasks.js';

export interface QueuePoll {
  queue: QueueName;
  lastPollMs: number;
}

export interface RemoteQueuePoll extends QueuePoll {
  /** Nodes at which it was polled lately. */
  nodes: number;
}

interface Columns extends Record<string, unknown> {
  namespace_id: string;
  kind: 1 | 2;
  queue: string;
  last_poll_ms: number;
  nodes: number;
}

export class QueuePolls {
  constructor(private readonly database: Database) {}

  /** Replaces what a node has told before, and drops what is too old, whoever told it. */
  async tell(nodeId: string, polls: readonly QueuePoll[], staleBeforeMs: number): Promise<void> {
    await this.database.query({
      name: 'queue-polls-tell',
      text: `with told as (
          select * from unnest($2::uuid[], $3::smallint[], $4::text[], $5::bigint[]) as t(namespace_id, kind, queue, last_poll_ms)),
        gone as (
          delete from queue_polls p
          where p.last_poll_ms < $6 or (p.node_id = $1 and not exists (
            select 1 from told t where t.namespace_id = p.namespace_id and t.kind = p.kind and t.queue = p.queue)))
        insert into queue_polls (node_id, namespace_id, kind, queue, last_poll_ms)
        select $1, t.namespace_id, t.kind, t.queue, t.last_poll_ms from told t where t.last_poll_ms >= $6
        on conflict (node_id, namespace_id, kind, queue) do update set last_poll_ms = excluded.last_poll_ms`,
      values: [
        nodeId,
        polls.map((p) => p.queue.namespaceId),
        polls.map((p) => p.queue.kind),
        polls.map((p) => p.queue.queue),
        polls.map((p) => Math.floor(p.lastPollMs)),
        staleBeforeMs,
      ],
    });
  }

  /** What a node has told that is no more. */
  async forget(nodeId: string): Promise<QueueName[]> {
    const rows = await this.database.query<{ namespace_id: string; kind: 1 | 2; queue: string }>({
      name: 'queue-polls-forget',
      text: 'delete from queue_polls where node_id = $1 returning namespace_id, kind, queue',
      values: [nodeId],
    });
    return rows.map((r) => ({ namespaceId: r.namespace_id, kind: r.kind, queue: r.queue }));
  }

  /** What the other nodes have told. `nodes` counts those whose last poll is no older than `latelyMs`. */
  async ofOthers(nodeId: string, sinceMs: number, latelyMs: number): Promise<RemoteQueuePoll[]> {
    const rows = await this.database.query<Columns>({
      name: 'queue-polls-others',
      text: `select namespace_id, kind, queue, max(last_poll_ms) as last_poll_ms, count(*) filter (where last_poll_ms >= $3)::int as nodes
        from queue_polls where node_id <> $1 and last_poll_ms >= $2 group by 1, 2, 3`,
      values: [nodeId, sinceMs, latelyMs],
    });
    return rows.map((r) => ({
      queue: { namespaceId: r.namespace_id, kind: r.kind, queue: r.queue },
      lastPollMs: r.last_poll_ms,
      nodes: r.nodes,
    }));
  }
}
