/** Columns that a run gets with its row and keeps: their types as parameters of a statement, and their values. */
import type { RunState } from '../core/run-state.js';
import type { ColumnType } from './binary-arrays.js';

const KEPT = {
  namespace_id: 'uuid',
  first_run_id: 'uuid',
  root_run_id: 'uuid',
  parent_run_id: 'uuid',
  start_ms: 'bigint',
  execution_ms: 'bigint',
  workflow_id: 'text',
  workflow_type: 'text',
  task_queue: 'text',
  root_workflow_id: 'text',
  parent_workflow_id: 'text',
} as const satisfies Record<string, ColumnType>;

/** With whether the workflow id must never have been used before. */
export const NEW_RUN_COLUMNS = { ...KEPT, first_of_workflow: 'boolean' } as const;

/** Their names in the table, with that of the run id. */
export const RUN_COLUMN_NAMES: readonly string[] = ['run_id', ...Object.keys(KEPT)];

/** In that order, without the run id. What a run would say of itself is null: most are the first of their chain and nobody's child. */
export const newRunValues = ({ info }: RunState): unknown[] => [
  info.namespaceId,
  info.firstRunId === info.runId ? null : info.firstRunId,
  info.rootRunId === info.runId ? null : info.rootRunId,
  info.parent?.runId,
  info.startMs,
  info.executionMs,
  info.workflowId,
  info.workflowType,
  info.taskQueue,
  info.rootWorkflowId === info.workflowId ? null : info.rootWorkflowId,
  info.parent?.workflowId,
];
