/** What operators have set for task queues, as this node knows it: all of it in memory, read again when a change is announced and from time to time. */
import { NO_CONFIG, type TaskQueueConfig } from '../core/task-queue-config.js';
import { type QueueName, queueKey } from '../storage/tasks.js';
import type { TaskQueueConfigs } from '../storage/task-queue-configs.js';

export class KnownQueueConfigs {
  private known = new Map<string, TaskQueueConfig>();
  private text = '[]';

  constructor(
    private readonly storage: TaskQueueConfigs,
    /** Something has changed. */
    private readonly onChange: () => void,
  ) {}

  of(queue: QueueName): TaskQueueConfig {
    return this.known.get(queueKey(queue)) ?? NO_CONFIG;
  }

  /** Of a namespace that is gone nothing is asked any more, so its configuration may stay known until it is read again. */
  async refresh(): Promise<void> {
    const all = await this.storage.all();
    const text = JSON.stringify(all);
    if (text === this.text) return;
    this.text = text;
    this.known = new Map(all.map(({ config, ...queue }) => [queueKey(queue as QueueName), config]));
    this.onChange();
  }
}
