/** What a worker gets when a workflow task is handed to it. */
import { api, int64, type temporal, toTimestamp } from '../core/api.js';
import { unwrittenEvents } from '../core/kinds/workflow-task.js';
import type { RunState, WorkflowTask } from '../core/run-state.js';
import type { HistoryRow } from '../storage/history.js';
import type { EncodedResponse } from './call.js';
import type { Engine } from './engine.js';
import { encodePageToken } from './page-token.js';
import { encodeEvents, sliceRow, withHistory } from './raw-history.js';
import { ridingQueries } from './riding-queries.js';
import type { CachedRun } from './run-cache.js';
import { encodeToken } from './task-token.js';
import { updateRequests } from './update-requests.js';

type Answer = temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse;
const Response = api.workflowservice.v1.PollWorkflowTaskQueueResponse;
const HISTORY_FIELD = (Response as unknown as { fields: Record<string, { id: number }> }).fields.history!.id;

/** Bytes and rows of history in one answer; the worker fetches the rest by page token. */
const PAGE_BYTES = 2 * 1024 * 1024;
const PAGE_ROWS = 2000;

export interface HistoryPart {
  parts: Uint8Array[];
  /** First event that did not fit; 0 when all did. */
  nextEventId: number;
}

/** Events from..before as raw bytes, from memory where the run's recent rows reach back far enough. */
export async function historyPart(engine: Engine, run: CachedRun, fromEventId: number, beforeEventId: number): Promise<HistoryPart> {
  const inMemory = run.recentFrom <= fromEventId;
  const rows: HistoryRow[] = inMemory
    ? run.recent
    : await engine.histories.read(run.state.info.runId, fromEventId, beforeEventId, PAGE_ROWS);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  let last = fromEventId - 1;
  for (const row of rows) {
    if (row.lastEventId < fromEventId || row.firstEventId >= beforeEventId) continue;
    if (bytes > 0 && bytes + row.events.length > PAGE_BYTES) break;
    const part = sliceRow(row, fromEventId, beforeEventId);
    parts.push(part);
    bytes += part.length;
    last = Math.min(row.lastEventId, beforeEventId - 1);
  }
  return { parts, nextEventId: last + 1 < beforeEventId ? last + 1 : 0 };
}

/** The answer for a started task. */
export async function workflowTaskAnswer(engine: Engine, run: CachedRun): Promise<EncodedResponse> {
  const { answer, parts } = await answerOf(engine, run);
  return withHistory(Response, answer, HISTORY_FIELD, parts);
}

/** The same as a message, for answers that carry a task inside (eager start, the next task of a completion). */
export async function workflowTaskAnswerMessage(engine: Engine, run: CachedRun, { continues = false } = {}): Promise<Answer> {
  const { answer, parts } = await answerOf(engine, run, continues);
  return { ...answer, history: api.history.v1.History.decode(Buffer.concat(parts)) };
}

/** A worker that holds the run gets what is new: it polled its sticky queue, or goes on with what it has just answered (`continues`). */
async function answerOf(engine: Engine, run: CachedRun, continues = false): Promise<{ answer: Answer; parts: Uint8Array[] }> {
  const { state } = run;
  const task = state.workflowTask!;
  const fromEventId = task.sticky || continues ? state.previousStartedEventId + 1 : 1;
  const { parts, nextEventId } = await historyPart(engine, run, fromEventId, state.nextEventId);
  const unwritten = unwrittenEvents(state);
  if (unwritten.length > 0 && nextEventId === 0) parts.push(encodeEvents(unwritten));
  const answer = base(state, task);
  if (nextEventId > 0)
    answer.nextPageToken = encodePageToken({ run: state.info.runId, next: nextEventId, before: state.nextEventId, task: true });
  const messages = updateRequests(state);
  if (messages.length > 0) answer.messages = messages;
  const queries = await ridingQueries(engine, state.info.runId);
  if (queries) answer.queries = queries;
  return { answer, parts };
}

function base(state: RunState, task: WorkflowTask): Answer {
  const { info } = state;
  return {
    taskToken: encodeToken({
      t: 'w',
      ns: info.namespaceId,
      wid: info.workflowId,
      run: info.runId,
      s: task.scheduledEventId,
      e: task.startedEventId,
      a: task.attempt,
      at: task.startedMs,
    }),
    workflowExecution: { workflowId: info.workflowId, runId: info.runId },
    workflowType: { name: info.workflowType },
    previousStartedEventId: int64(state.previousStartedEventId),
    startedEventId: int64(task.startedEventId),
    attempt: task.attempt,
    workflowExecutionTaskQueue: { name: info.taskQueue, kind: 1 },
    scheduledTime: toTimestamp(task.scheduledMs),
    startedTime: toTimestamp(task.startedMs),
  };
}
