/** Removing what is no longer kept: closed runs past their namespace's retention, and everything of a deleted namespace. In small batches, past locked rows. */
import type { Database } from './database.js';

/** Everything that hangs on runs, removed with them. */
const REMOVE = `
  removed_history as (delete from history h using gone where h.run_id = gone.run_id),
  removed_requests as (delete from run_requests q using gone where q.run_id = gone.run_id),
  removed_tasks as (delete from tasks t using gone where t.run_id = gone.run_id),
  removed_approvals as (delete from approvals a using gone where a.run_id = gone.run_id),
  removed_runs as (delete from runs r using gone where r.run_id = gone.run_id)`;

export class Retention {
  constructor(private readonly database: Database) {}

  /** Removes runs of a namespace that closed before a moment; how many, at most `limit`. */
  async removeClosed(namespaceId: string, beforeMs: number, limit: number): Promise<number> {
    const rows = await this.database.query<{ count: number }>({
      name: 'retention-closed',
      text: `with gone as materialized (
          select run_id from runs_closed where namespace_id = $1 and close_ms < $2 order by close_ms limit $3 for update skip locked),
        ${REMOVE}
        select count(*)::int8 as count from gone`,
      values: [namespaceId, beforeMs, limit],
    });
    return rows[0]!.count;
  }

  /** Removes runs of a deleted namespace, open ones too; how many, at most `limit`. */
  async removeAny(namespaceId: string, limit: number): Promise<number> {
    const rows = await this.database.query<{ count: number }>({
      name: 'retention-any',
      text: `with gone as materialized (select run_id from runs where namespace_id = $1 limit $2 for update skip locked),
        ${REMOVE}
        select count(*)::int8 as count from gone`,
      values: [namespaceId, limit],
    });
    return rows[0]!.count;
  }

  /** Removes one run, open or closed. */
  async removeRun(runId: string): Promise<void> {
    await this.database.query({
      name: 'retention-run',
      text: `with gone as materialized (select run_id from runs where run_id = $1 for update), ${REMOVE} select 1`,
      values: [runId],
    });
  }

  /** Removes a deleted namespace that holds nothing any more. */
  async removeNamespace(namespaceId: string): Promise<void> {
    await this.database.query({
      text: `with messages as (delete from outbox where namespace_id = $1), tasks_left as (delete from tasks where namespace_id = $1),
          configs as (delete from task_queue_configs where namespace_id = $1),
          known_workers as (delete from workers where namespace_id = $1)
        delete from namespaces where namespace_id = $1 and state = 3 and not exists (select 1 from runs where namespace_id = $1)`,
      values: [namespaceId],
    });
  }
}
