/** Tasks that nobody waited for, in the commit statements: the columns of their rows. */
import type { ColumnType } from './binary-arrays.js';
import type { TaskWrite } from './commit-item.js';

export const TASK_COLUMNS = {
  run_id: 'uuid',
  namespace_id: 'uuid',
  kind: 'smallint',
  queue: 'text',
  priority: 'smallint',
  place: 'bigint',
  fairness_key: 'text',
  fairness_weight: 'real',
  workflow_id: 'text',
  event_id: 'bigint',
  stamp: 'int',
  claimed_until_ms: 'bigint',
} as const satisfies Record<string, ColumnType>;

/** In the order of those columns. */
export const taskValues = (t: TaskWrite): unknown[] => [
  t.runId,
  t.namespaceId,
  t.kind,
  t.queue,
  t.priority,
  t.place,
  t.key,
  t.weight,
  t.workflowId,
  t.eventId,
  t.stamp,
  t.claimUntilMs,
];

const NAMES = Object.keys(TASK_COLUMNS);

/** The rows of `from` (alias t) that meet the condition become tasks; the parameter says when they were enqueued. */
export const queuedPart = (from: string, condition: string, enqueuedMs: string): string => `
    queued as (
      insert into tasks (${NAMES.join(', ')}, enqueued_ms)
      select ${NAMES.map((name) => `t.${name}`).join(', ')}, ${enqueuedMs}::bigint
      from ${from} where ${condition}
      returning task_id, run_id, event_id, kind
    )`;
