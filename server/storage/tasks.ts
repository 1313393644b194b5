/** Task queues at rest: tasks that nobody waited for. Claimed in batches, deleted by the commit that starts them. */
import type { Database } from './database.js';
import { type LoadedRun, loadedRun, RUN_COLUMNS, type RunRow } from './runs.js';

export interface QueueName {
  namespaceId: string;
  /** 1 workflow, 2 activity. */
  kind: 1 | 2;
  queue: string;
}

/** A queue's name as one text. */
export const queueKey = ({ kind, namespaceId, queue }: QueueName): string => `${kind}/${namespaceId}/${queue}`;

export interface StoredTask {
  taskId: number;
  runId: string;
  workflowId: string;
  eventId: number;
  stamp: number;
  /** 1 is taken first. */
  priority: number;
  /** Lower is taken first among those of the same priority. */
  place: number;
  /** Fairness key and the weight that the task states for it. */
  key: string;
  weight: number;
  enqueuedMs: number;
  /** Its run as it was read with it, where that was asked for. */
  run?: LoadedRun;
}

export interface QueueStats {
  priority: number;
  count: number;
  oldestMs: number | undefined;
}

interface Columns extends Record<string, unknown> {
  task_id: number;
  run_id: string;
  workflow_id: string;
  event_id: number;
  stamp: number;
  priority: number;
  place: number;
  fairness_key: string;
  fairness_weight: number;
  enqueued_ms: number;
}

const task = (c: Columns): StoredTask => ({
  taskId: c.task_id,
  runId: c.run_id,
  workflowId: c.workflow_id,
  eventId: c.event_id,
  stamp: c.stamp,
  priority: c.priority,
  place: c.place,
  key: c.fairness_key,
  weight: c.fairness_weight,
  enqueuedMs: c.enqueued_ms,
});

export class Tasks {
  constructor(private readonly database: Database) {}

  /**
   * Takes up to `limit` tasks of a queue for this node until `untilMs`; other nodes pass them by. Tasks of the keys in `without` are left.
   * With runs: for a node that has no reason to remember them.
   */
  async claim(
    queue: QueueName,
    limit: number,
    nowMs: number,
    untilMs: number,
    { without = [], withRuns = false }: { without?: readonly string[]; withRuns?: boolean } = {},
  ): Promise<StoredTask[]> {
    const some = without.length > 0;
    const rows = await this.database.query<Columns & Partial<RunRow>>({
      name: `tasks-claim${some ? '-some' : ''}${withRuns ? '-runs' : ''}`,
      text: `with picked as (
          select task_id${withRuns ? ', run_id' : ''} from tasks
          where namespace_id = $1 and kind = $2 and queue = $3 and claimed_until_ms <= $5${some ? ' and fairness_key <> all($7::text[])' : ''}
          order by priority, place, task_id limit $4
          for update skip locked)
        update tasks t set claimed_until_ms = $6 from picked p${withRuns ? ' left join runs_open r on r.run_id = p.run_id' : ''} where t.task_id = p.task_id
        returning t.task_id, t.run_id, t.workflow_id, t.event_id, t.stamp, t.enqueued_ms, t.priority, t.place, t.fairness_key, t.fairness_weight,
          ${withRuns ? `${RUN_COLUMNS}, ` : ''}set_config('synchronous_commit', 'off', true)`, // a claim that a crash of the database forgets is none
      values: [queue.namespaceId, queue.kind, queue.queue, limit, nowMs, untilMs, ...(some ? [without] : [])],
    });
    rows.sort((a, b) => a.priority - b.priority || a.place - b.place || a.task_id - b.task_id);
    return rows.map((row) => ({ ...task(row), ...(row.snapshot && { run: loadedRun(row as RunRow) }) }));
  }

  /** Which of these queues have tasks that may be taken. */
  async ready(queues: readonly QueueName[], nowMs: number): Promise<QueueName[]> {
    const rows = await this.database.query<{ namespace_id: string; kind: 1 | 2; queue: string }>({
      name: 'tasks-ready',
      text: `select q.namespace_id, q.kind, q.queue from unnest($1::uuid[], $2::smallint[], $3::text[]) as q(namespace_id, kind, queue)
        where exists (
          select 1 from tasks t where t.namespace_id = q.namespace_id and t.kind = q.kind and t.queue = q.queue and t.claimed_until_ms <= $4)`,
      values: [queues.map((q) => q.namespaceId), queues.map((q) => q.kind), queues.map((q) => q.queue), Math.floor(nowMs)],
    });
    return rows.map((r) => ({ namespaceId: r.namespace_id, kind: r.kind, queue: r.queue }));
  }

  /** Gives claimed tasks back. */
  async release(taskIds: readonly number[]): Promise<void> {
    await this.database.query({
      name: 'tasks-release',
      text: 'update tasks set claimed_until_ms = 0 where task_id = any($1::bigint[])',
      values: [taskIds],
    });
  }

  /** Gives back what was claimed until that very moment. Says whether anything was. */
  async unclaim(queue: QueueName, untilMs: number): Promise<boolean> {
    const rows = await this.database.query({
      name: 'tasks-unclaim',
      text: 'update tasks set claimed_until_ms = 0 where namespace_id = $1 and kind = $2 and queue = $3 and claimed_until_ms = $4 returning 1',
      values: [queue.namespaceId, queue.kind, queue.queue, untilMs],
    });
    return rows.length > 0;
  }

  /** Gives back what nodes had claimed that are no more. What others have claimed as well they start at once, or have started. Returns how many. */
  async releaseAll(nowMs: number): Promise<number> {
    const rows = await this.database.query({
      text: 'update tasks set claimed_until_ms = 0 where claimed_until_ms > $1 returning 1',
      values: [Math.floor(nowMs)],
    });
    return rows.length;
  }

  /** Removes tasks that are void: their run has moved on without them. */
  async remove(taskIds: readonly number[]): Promise<void> {
    await this.database.query({ name: 'tasks-remove', text: 'delete from tasks where task_id = any($1::bigint[])', values: [taskIds] });
  }

  /** Depth of a queue and the age of its head, by priority. */
  async stats(queue: QueueName): Promise<QueueStats[]> {
    const rows = await this.database.query<{ priority: number; count: number; oldest: number }>({
      name: 'tasks-stats',
      text: `select priority, count(*)::int8 as count, min(enqueued_ms) as oldest from tasks
        where namespace_id = $1 and kind = $2 and queue = $3 group by priority order by priority`,
      values: [queue.namespaceId, queue.kind, queue.queue],
    });
    return rows.map((r) => ({ priority: r.priority, count: r.count, oldestMs: r.oldest }));
  }
}
