/** What operators have set for task queues. */
import type { StoredRateLimit, TaskQueueConfig } from '../core/task-queue-config.js';
import type { Database } from './database.js';

export interface ConfiguredQueue {
  namespaceId: string;
  /** temporal.api.enums.v1.TaskQueueType. */
  kind: number;
  queue: string;
}

/** What to change; what is left out stays. */
export interface ConfigChange {
  readonly queue?: StoredRateLimit | undefined;
  readonly fairnessKey?: StoredRateLimit | undefined;
  readonly setWeights: Readonly<Record<string, number>>;
  readonly unsetWeights: readonly string[];
}

interface Columns extends Record<string, unknown> {
  namespace_id: string;
  kind: number;
  queue: string;
  queue_rate: StoredRateLimit | null;
  fairness_key_rate: StoredRateLimit | null;
  weights: Record<string, number>;
}

const config = (c: Columns): TaskQueueConfig => ({ queue: c.queue_rate, fairnessKey: c.fairness_key_rate, weights: c.weights });

export class TaskQueueConfigs {
  constructor(private readonly database: Database) {}

  async all(): Promise<(ConfiguredQueue & { config: TaskQueueConfig })[]> {
    const rows = await this.database.query<Columns>({ name: 'queue-configs-all', text: 'select * from task_queue_configs' });
    return rows.map((c) => ({ namespaceId: c.namespace_id, kind: c.kind, queue: c.queue, config: config(c) }));
  }

  async read(of: ConfiguredQueue): Promise<TaskQueueConfig | undefined> {
    const rows = await this.database.query<Columns>({
      name: 'queue-config-read',
      text: 'select * from task_queue_configs where namespace_id = $1 and kind = $2 and queue = $3',
      values: [of.namespaceId, of.kind, of.queue],
    });
    return rows[0] && config(rows[0]);
  }

  /** One statement, so that changes at the same time all count. Undefined when the queue would have more than `weightsMax` weights. */
  async change(of: ConfiguredQueue, change: ConfigChange, weightsMax: number): Promise<TaskQueueConfig | undefined> {
    const rows = await this.database.query<Columns>({
      name: 'queue-config-change',
      text: `insert into task_queue_configs as c (namespace_id, kind, queue, queue_rate, fairness_key_rate, weights)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (namespace_id, kind, queue) do update set
          queue_rate = coalesce(excluded.queue_rate, c.queue_rate),
          fairness_key_rate = coalesce(excluded.fairness_key_rate, c.fairness_key_rate),
          weights = (c.weights - $7::text[]) || excluded.weights
        where (select count(*) from jsonb_object_keys((c.weights - $7::text[]) || excluded.weights)) <= $8
        returning *`,
      values: [
        of.namespaceId,
        of.kind,
        of.queue,
        change.queue ?? null,
        change.fairnessKey ?? null,
        change.setWeights,
        change.unsetWeights,
        weightsMax,
      ],
    });
    return rows[0] && config(rows[0]);
  }
}
