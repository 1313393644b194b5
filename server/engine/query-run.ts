/** QueryWorkflow: asks a worker about a run, in a task that leaves no trace. A query sees everything that was acknowledged before it. */
import { api, enums, type Failure, int64, type temporal } from '../core/api.js';
import { detail, failedPrecondition, ServiceError } from '../core/errors.js';
import { isRunning } from '../core/kinds/run.js';
import type { RunState } from '../core/run-state.js';
import type { QueueName } from '../storage/tasks.js';
import { type Call, EncodedResponse } from './call.js';
import type { Engine } from './engine.js';
import { readRun } from './find-run.js';
import { longPollMs } from './long-poll.js';
import type { Poller } from './matching/poller.js';
import { encodePageToken } from './page-token.js';
import type { PendingQuery, QueryAnswer } from './pending-queries.js';
import { spliceHistory } from './raw-history.js';
import { encodeToken } from './task-token.js';
import { historyPart } from './workflow-task-answer.js';

type Request = temporal.api.workflowservice.v1.IQueryWorkflowRequest;
type Response = temporal.api.workflowservice.v1.IQueryWorkflowResponse;
const REJECT = enums.QueryRejectCondition;
const STATUS = enums.WorkflowExecutionStatus;
const PollResponse = api.workflowservice.v1.PollWorkflowTaskQueueResponse;
const HISTORY_FIELD = (PollResponse as unknown as { fields: Record<string, { id: number }> }).fields.history!.id;

/** A sticky queue whose worker was seen that lately is asked first. */
const STICKY_POLLER_GONE_MS = 10_000;

export async function queryRun(engine: Engine, request: Request, call: Call): Promise<Response> {
  const namespace = await engine.registry.require(request.namespace);
  const run = await readRun(engine, namespace, request.execution);
  const rejected = rejection(run.state, request.queryRejectCondition ?? 0);
  if (rejected) return { queryRejected: { status: rejected } };
  let settle: (answer: QueryAnswer | undefined) => void = () => {};
  let settled = false;
  const answered = new Promise<QueryAnswer | undefined>((resolve) => {
    settle = (answer) => {
      settled = true;
      resolve(answer);
    };
  });
  const pending: PendingQuery = {
    id: engine.ids.newId(),
    namespaceId: namespace.id,
    runId: run.state.info.runId,
    query: request.query!,
    settle,
    settled: () => settled || call.cancelled,
  };
  const timer = setTimeout(() => settle(undefined), Math.min(longPollMs(engine, call), engine.longPollMs));
  call.onCancelled(() => settle(undefined));
  engine.queries.add(pending);
  try {
    void ask(engine, pending, () => settled).catch((error) => {
      engine.log.error({ err: error, runId: pending.runId }, 'a query could not be asked');
      settle({ error: 'the query could not be asked' });
    });
    const answer = await answered;
    return toResponse(engine, answer, run.state);
  } finally {
    clearTimeout(timer);
    engine.queries.remove(pending);
  }
}

/** Rides on the pending workflow task; on a run that has none, asks by a task of its own. */
async function ask(engine: Engine, pending: PendingQuery, over: () => boolean): Promise<void> {
  engine.queries.ride(pending);
  while (!over()) {
    const watch = engine.watchers.watch(pending.runId, 5_000);
    const run = await engine.runs.load(pending.runId);
    if (!run || over()) {
      watch.stop();
      return;
    }
    const idle = !isRunning(run.state) || (!run.state.workflowTask && !run.state.firstTaskAtMs);
    if (idle) {
      watch.stop();
      engine.queries.unride(pending);
      offerDirect(engine, pending, run.state);
      return;
    }
    await watch.changed;
  }
}

/** A query-only task for the worker that holds the run, or for any worker of its task queue. */
export function offerDirect(engine: Engine, pending: PendingQuery, state: RunState): void {
  const { info } = state;
  const stickyQueue: QueueName | undefined = state.sticky ? { namespaceId: info.namespaceId, kind: 1, queue: state.sticky.queue } : undefined;
  const sticky = stickyQueue !== undefined && engine.queues.sinceLastPoll(stickyQueue) < STICKY_POLLER_GONE_MS;
  const queue: QueueName = sticky ? stickyQueue : { namespaceId: info.namespaceId, kind: 1, queue: info.taskQueue };
  engine.queues.offer(queue, {
    alive: () => !pending.settled(),
    give: (poller) => {
      void give(engine, pending, state, sticky, poller);
    },
  });
}

async function give(engine: Engine, pending: PendingQuery, state: RunState, sticky: boolean, poller: Poller): Promise<void> {
  try {
    const answer = await queryTask(engine, pending, state, sticky);
    poller.end(answer);
  } catch (error) {
    poller.end(undefined);
    engine.log.error({ err: error, runId: pending.runId }, 'a query task could not be built');
    pending.settle({ error: 'the query task could not be built' });
  }
}

async function queryTask(engine: Engine, pending: PendingQuery, state: RunState, sticky: boolean): Promise<EncodedResponse> {
  const { info } = state;
  const end = state.nextEventId;
  const { parts, nextEventId } = sticky
    ? { parts: [], nextEventId: 0 }
    : await historyPart(engine, { state, version: 0, deadlineMs: null, recent: [], recentFrom: end }, 1, end);
  const message: temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse = {
    taskToken: encodeToken({ t: 'q', ns: info.namespaceId, q: pending.id, n: engine.nodeId }),
    workflowExecution: { workflowId: info.workflowId, runId: info.runId },
    workflowType: { name: info.workflowType },
    previousStartedEventId: int64(state.previousStartedEventId),
    startedEventId: int64(state.previousStartedEventId),
    attempt: 1,
    query: pending.query,
    workflowExecutionTaskQueue: { name: info.taskQueue, kind: enums.TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
    nextPageToken: nextEventId > 0 ? encodePageToken({ run: info.runId, next: nextEventId, before: end }) : undefined,
  };
  return new EncodedResponse(spliceHistory(PollResponse, message, HISTORY_FIELD, parts.length > 0 ? parts : [Buffer.alloc(0)]));
}

function rejection(state: RunState, condition: number): number {
  if (condition === REJECT.QUERY_REJECT_CONDITION_NOT_OPEN && !isRunning(state)) return state.status;
  if (condition === REJECT.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY) {
    const clean = isRunning(state) || state.status === STATUS.WORKFLOW_EXECUTION_STATUS_COMPLETED || state.status === STATUS.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW;
    if (!clean) return state.status;
  }
  return 0;
}

function toResponse(engine: Engine, answer: QueryAnswer | undefined, state: RunState): Response {
  if (!answer) {
    const queue: QueueName = { namespaceId: state.info.namespaceId, kind: 1, queue: state.info.taskQueue };
    if (engine.queues.pollersOf(queue).length > 0) throw new ServiceError('DEADLINE_EXCEEDED', 'The query was not answered in time by a worker.');
    throw failedPrecondition('no poller seen for task queue recently, worker may be down');
  }
  if ('error' in answer) throw queryFailed(answer.error, answer.failure);
  return { queryResult: answer.answer ?? undefined };
}

export const queryFailed = (message: string, failure?: Failure | null): ServiceError =>
  new ServiceError('INVALID_ARGUMENT', message, [detail('QueryFailedFailure', failure ? { failure } : {})]);
