/** Columns that a run gets with its row and keeps: their types as parameters of a statement. */
export const NEW_RUN_COLUMNS = {
  namespace_id: 'uuid',
  workflow_id: 'text',
  workflow_type: 'text',
  task_queue: 'text',
  start_ms: 'bigint',
  execution_ms: 'bigint',
  first_run_id: 'uuid',
  parent_workflow_id: 'text',
  parent_run_id: 'uuid',
  root_workflow_id: 'text',
  root_run_id: 'uuid',
  first_of_workflow: 'boolean',
} as const;
