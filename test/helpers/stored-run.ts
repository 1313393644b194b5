/** A run's row as it would lie in the database. */
import type { RunState } from '../../server/core/run-state.js';
import { encodeInfo, encodeSnapshot, type StateColumns } from '../../server/storage/snapshot-codec.js';

const asBuffer = (bytes: Uint8Array | null): Buffer | null => (bytes ? Buffer.from(bytes) : null);

export const storedRun = (state: RunState): StateColumns => ({
  run_id: state.info.runId,
  namespace_id: state.info.namespaceId,
  workflow_id: state.info.workflowId,
  status: state.status,
  workflow_type: state.info.workflowType,
  task_queue: state.info.taskQueue,
  start_ms: state.info.startMs,
  execution_ms: state.info.executionMs,
  close_ms: state.closeMs || null,
  next_event_id: state.nextEventId,
  history_bytes: state.historyBytes,
  transitions: state.transitions,
  first_run_id: state.info.firstRunId,
  root_workflow_id: state.info.rootWorkflowId,
  root_run_id: state.info.rootRunId,
  info: encodeInfo(state),
  snapshot: encodeSnapshot(state),
  memo: asBuffer(state.memo),
  search_attributes: asBuffer(state.searchAttributes),
});
