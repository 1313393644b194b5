/** What a worker has done so far, for its heartbeats. */

/** Tasks of one kind. */
export interface TaskCount {
  processed: number;
  failed: number;
}

export class TaskCounts {
  readonly workflow: TaskCount = { processed: 0, failed: 0 };
  readonly activity: TaskCount = { processed: 0, failed: 0 };
  readonly local: TaskCount = { processed: 0, failed: 0 };
  cacheHits = 0;
  cacheMisses = 0;
}

/** Counts a task that ended. */
export function countTask(count: TaskCount, failed: boolean): void {
  count.processed++;
  if (failed) count.failed++;
}
