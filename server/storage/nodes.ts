/** Server processes that are alive: each says so every few seconds. */
import type { Database } from './database.js';

export class Nodes {
  constructor(private readonly database: Database) {}

  async seen(node: { id: string; host: string; pid: number; startedMs: number }, nowMs: number): Promise<void> {
    await this.database.query({
      name: 'node-seen',
      text: `insert into nodes (node_id, host, pid, started_ms, seen_ms) values ($1, $2, $3, $4, $5)
        on conflict (node_id) do update set seen_ms = excluded.seen_ms`,
      values: [node.id, node.host, node.pid, node.startedMs, nowMs],
    });
  }

  /** Nodes other than this one that were seen since. */
  async others(nodeId: string, sinceMs: number): Promise<string[]> {
    const rows = await this.database.query<{ node_id: string }>({
      name: 'nodes-others',
      text: 'select node_id from nodes where node_id <> $1 and seen_ms >= $2',
      values: [nodeId, sinceMs],
    });
    return rows.map((r) => r.node_id);
  }

  async remove(nodeId: string, beforeMs: number): Promise<void> {
    await this.database.query({ name: 'node-remove', text: 'delete from nodes where node_id = $1 or seen_ms < $2', values: [nodeId, beforeMs] });
  }
}
