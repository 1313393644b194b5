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

interface StoredNode {
  node_id: string;
  host: string;
  pid: number;
  seen_ms: number;
  alone: boolean;
}

const nodeRow = (row: StoredNode): NodeRow => ({ id: row.node_id, host: row.host, pid: row.pid, seenMs: row.seen_ms, alone: row.alone });

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

  /**
   * Says again what the node's row says, and answers with the others that were seen since. Undefined: the row is gone. Only for a row that says so already:
   * of two nodes that come at once and ask while they say so, neither might see the other.
   */
  async seenAgain(nodeId: string, nowMs: number, sinceMs: number): Promise<NodeRow[] | undefined> {
    const rows = await this.database.query<{ seen: boolean } & { [Column in keyof StoredNode]: StoredNode[Column] | null }>({
      name: 'node-seen-again',
      text: `with seen as (update nodes set seen_ms = greatest(seen_ms + 1, $2) where node_id = $1 returning 1)
        select exists (select from seen) as seen, n.node_id, n.host, n.pid, n.seen_ms, n.alone
        from (values (1)) as one left join nodes n on n.node_id <> $1 and n.seen_ms >= $3`,
      values: [nodeId, Math.floor(nowMs), Math.floor(sinceMs)],
    });
    return rows[0]!.seen ? rows.filter((row) => row.node_id !== null).map((row) => nodeRow(row as StoredNode)) : undefined;
  }

  /** Nodes other than this one that were seen since. */
  async others(nodeId: string, sinceMs: number): Promise<NodeRow[]> {
    const rows = await this.database.query<StoredNode & Record<string, unknown>>({
      name: 'nodes-others',
      text: 'select node_id, host, pid, seen_ms, alone from nodes where node_id <> $1 and seen_ms >= $2',
      values: [nodeId, Math.floor(sinceMs)],
    });
    return rows.map(nodeRow);
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
