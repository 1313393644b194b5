/** The task that asks a worker a query and nothing else. It leaves no trace in the run. */
import { api, enums, int64, type temporal } from '../core/api.js';
import type { RunState } from '../core/run-state.js';
import type { EncodedResponse } from './call.js';
import type { Engine } from './engine.js';
import { encodePageToken } from './page-token.js';
import { withHistory } from './raw-history.js';
import { encodeToken } from './task-token.js';
import { historyPart } from './workflow-task-answer.js';

const PollResponse = api.workflowservice.v1.PollWorkflowTaskQueueResponse;
const HISTORY_FIELD = (PollResponse as unknown as { fields: Record<string, { id: number }> }).fields.history!.id;

export interface AskedQuery {
  readonly id: string;
  /** The node that waits for the answer. */
  readonly nodeId: string;
  readonly query: temporal.api.query.v1.IWorkflowQuery;
}

/** A worker that holds the run (`sticky`) gets the question alone, any other the whole history with it. */
export async function queryTask(
  engine: Engine,
  { id, nodeId, query }: AskedQuery,
  state: RunState,
  sticky: boolean,
): Promise<EncodedResponse> {
  const { info } = state;
  const end = state.nextEventId;
  const run = { state, version: 0, deadlineMs: null, recent: [], recentFrom: end };
  const { parts, nextEventId } = sticky ? { parts: [], nextEventId: 0 } : await historyPart(engine, run, 1, end);
  const message: temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse = {
    taskToken: encodeToken({ t: 'q', ns: info.namespaceId, q: id, n: nodeId }),
    workflowExecution: { workflowId: info.workflowId, runId: info.runId },
    workflowType: { name: info.workflowType },
    previousStartedEventId: int64(state.previousStartedEventId),
    attempt: 1,
    query,
    workflowExecutionTaskQueue: { name: info.taskQueue, kind: enums.TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
    nextPageToken: nextEventId > 0 ? encodePageToken({ run: info.runId, next: nextEventId, before: end }) : undefined,
  };
  return withHistory(PollResponse, message, HISTORY_FIELD, parts);
}
