/** What nodes tell of their task queues, for whoever asks about a queue at another node. */
import type { Database } from './database.js';
import type { QueueName } from './tasks.js';

/** A report is JSON; its shape is the engine's affair. */
export interface QueueReportRow {
  queue: QueueName;
  report: object;
}

export class QueueReports {
  constructor(private readonly database: Database) {}

  /** Tells what has changed at a node and takes back what it has forgotten; drops what nodes told that are no more. */
  async tell(nodeId: string, changed: readonly QueueReportRow[], forgotten: readonly QueueName[], nowMs: number): Promise<void> {
    await this.database.query({
      name: 'queue-reports-tell',
      text: `with gone as (
          delete from queue_reports r using unnest($7::uuid[], $8::smallint[], $9::text[]) as f(namespace_id, kind, queue)
          where r.node_id = $1 and r.namespace_id = f.namespace_id and r.kind = f.kind and r.queue = f.queue),
        dead as (delete from queue_reports where node_id <> $1 and not exists (select 1 from nodes n where n.node_id = queue_reports.node_id))
        insert into queue_reports (node_id, namespace_id, kind, queue, told_ms, report)
        select $1, t.namespace_id, t.kind, t.queue, $2, t.report::jsonb
        from unnest($3::uuid[], $4::smallint[], $5::text[], $6::text[]) as t(namespace_id, kind, queue, report)
        on conflict (namespace_id, kind, queue, node_id) do update set told_ms = excluded.told_ms, report = excluded.report`,
      values: [
        nodeId,
        Math.floor(nowMs),
        changed.map((c) => c.queue.namespaceId),
        changed.map((c) => c.queue.kind),
        changed.map((c) => c.queue.queue),
        changed.map((c) => JSON.stringify(c.report)),
        forgotten.map((f) => f.namespaceId),
        forgotten.map((f) => f.kind),
        forgotten.map((f) => f.queue),
      ],
    });
  }

  /** What other nodes that were seen since have told of a queue. */
  async ofOthers(nodeId: string, queue: QueueName, nodesSeenSinceMs: number): Promise<{ report: object; toldMs: number }[]> {
    const rows = await this.database.query<{ report: object; told_ms: number }>({
      name: 'queue-reports-others',
      text: `select r.report, r.told_ms from queue_reports r join nodes n on n.node_id = r.node_id and n.seen_ms >= $5
        where r.namespace_id = $1 and r.kind = $2 and r.queue = $3 and r.node_id <> $4`,
      values: [queue.namespaceId, queue.kind, queue.queue, nodeId, Math.floor(nodesSeenSinceMs)],
    });
    return rows.map((r) => ({ report: r.report, toldMs: r.told_ms }));
  }
}
