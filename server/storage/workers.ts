/** The workers that have said lately how they are. */
import type { Database } from './database.js';

export interface WorkerHeartbeatRow {
  key: string;
  /** Encoded temporal.api.worker.v1.WorkerHeartbeat. */
  heartbeat: Uint8Array;
}

export class Workers {
  constructor(private readonly database: Database) {}

  /** Takes note of heartbeats (one for each key), and forgets workers that have stopped. */
  async record(namespaceId: string, heartbeats: readonly WorkerHeartbeatRow[], stopped: readonly string[], nowMs: number): Promise<void> {
    await this.database.query({
      name: 'workers-record',
      text: `with stopped as (delete from workers where namespace_id = $1 and worker_instance_key = any($2::text[]))
        insert into workers (namespace_id, worker_instance_key, heartbeat, seen_ms)
        select $1, h.key, h.heartbeat, $3 from unnest($4::text[], $5::bytea[]) as h(key, heartbeat)
        on conflict (namespace_id, worker_instance_key) do update set heartbeat = excluded.heartbeat, seen_ms = greatest(workers.seen_ms, excluded.seen_ms)`,
      values: [namespaceId, stopped, Math.floor(nowMs), heartbeats.map((h) => h.key), heartbeats.map((h) => Buffer.from(h.heartbeat))],
    });
  }

  /** Workers with keys after `after` (null: from the first), in the order of their keys, that were seen since; `limit` of them at most. */
  async list(namespaceId: string, after: string | null, sinceMs: number, limit: number): Promise<WorkerHeartbeatRow[]> {
    const rows = await this.database.query<{ key: string; heartbeat: Buffer }>({
      name: 'workers-list',
      text: `select worker_instance_key as key, heartbeat from workers
        where namespace_id = $1 and ($2::text is null or worker_instance_key > $2) and seen_ms >= $3
        order by worker_instance_key limit $4`,
      values: [namespaceId, after, Math.floor(sinceMs), limit],
    });
    return rows;
  }

  async find(namespaceId: string, key: string, sinceMs: number): Promise<Uint8Array | undefined> {
    const rows = await this.database.query<{ heartbeat: Buffer }>({
      name: 'workers-find',
      text: 'select heartbeat from workers where namespace_id = $1 and worker_instance_key = $2 and seen_ms >= $3',
      values: [namespaceId, key, Math.floor(sinceMs)],
    });
    return rows[0]?.heartbeat;
  }

  /** Forgets those that were not seen since. */
  async removeUnseen(sinceMs: number): Promise<void> {
    await this.database.query({ name: 'workers-remove', text: 'delete from workers where seen_ms < $1', values: [Math.floor(sinceMs)] });
  }
}
