/** Server processes that are alive: each says so every few seconds. */
import type { Database } from './database.js';

export interface NodeRow {
  id: string;
  host: string;
  pid: number;
  seenMs: number;
  /** It may believe that there is no other. */
  alone: boolean;
}

export class Nodes {
  constructor(private readonly database: Database) {}

  async seen(node: { id: string; host: string; pid: number; startedMs: number }, nowMs: number, alone: boolean): Promise<void> {
    await this.database.query({
      name: 'node-seen',
      text: `insert into nodes (node_id, host, pid, started_ms, seen_ms, alone) values ($1, $2, $3, $4, $5, $6)
        on conflict (node_id) do update set seen_ms = greatest(nodes.seen_ms + 1, excluded.seen_ms), alone = excluded.alone`,
      values: [node.id, node.host, node.pid, node.startedMs, Math.floor(nowMs), alone],
    });
  }

  /** Nodes other than this one that were seen since. */
  async others(nodeId: string, sinceMs: number): Promise<NodeRow[]> {
    const rows = await this.database.query<{ node_id: string; host: string; pid: number; seen_ms: number; alone: boolean }>({
      name: 'nodes-others',
      text: 'select node_id, host, pid, seen_ms, alone from nodes where node_id <> $1 and seen_ms >= $2',
      values: [nodeId, Math.floor(sinceMs)],
    });
    return rows.map((r) => ({ id: r.node_id, host: r.host, pid: r.pid, seenMs: r.seen_ms, alone: r.alone }));
  }

  /** Removes a node that is dead. Undefined: another node was faster. */
  async bury(nodeId: string): Promise<{ seenMs: number } | undefined> {
    const rows = await this.database.query<{ seen_ms: number }>({
      name: 'node-bury',
      text: 'delete from nodes where node_id = $1 returning seen_ms',
      values: [nodeId],
    });
    return rows[0] && { seenMs: rows[0].seen_ms };
  }

  async remove(nodeId: string, beforeMs: number): Promise<void> {
    await this.database.query({
      name: 'node-remove',
      text: 'delete from nodes where node_id = $1 or seen_ms < $2',
      values: [nodeId, beforeMs],
    });
  }
}
