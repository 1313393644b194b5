/** The worker's own RPCs: polls that are not retried here, and answers that are until the server confirms them. */
import type { ServiceError } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { temporal } from '../definitions/api.js';
import type { CallContext } from '../transport/call-context.js';
import type { Connection } from '../transport/connection.js';
import { findErrorDetail, isGrpcServiceError } from '../transport/grpc-error.js';
import type { GrpcRetryOptions } from '../transport/retry.js';
import { NO_RETRY, RETRY_UNTIL_CONFIRMED } from '../transport/retry.js';
import { makeCall } from '../transport/service.js';
import type { WorkerMetrics } from './worker-metrics.js';

type Api = typeof temporal.api.workflowservice.v1;
type Call<Request extends keyof Api, Response extends keyof Api> = (
  request: { [Field in keyof Api[Request]['prototype']]?: Api[Request]['prototype'][Field] | null },
  context?: CallContext,
) => Promise<Api[Response]['prototype']>;

/** The RPCs that a worker makes all the time. */
export interface WorkerRpcs {
  pollWorkflowTask: Call<'PollWorkflowTaskQueueRequest', 'PollWorkflowTaskQueueResponse'>;
  pollActivityTask: Call<'PollActivityTaskQueueRequest', 'PollActivityTaskQueueResponse'>;
  workflowTaskCompleted: Call<'RespondWorkflowTaskCompletedRequest', 'RespondWorkflowTaskCompletedResponse'>;
  /** The same, for answers in pages. */
  workflowTaskPage: Call<'RespondWorkflowTaskCompletedRequest', 'RespondWorkflowTaskCompletedResponse'>;
  workflowTaskFailed: Call<'RespondWorkflowTaskFailedRequest', 'RespondWorkflowTaskFailedResponse'>;
  queryTaskCompleted: Call<'RespondQueryTaskCompletedRequest', 'RespondQueryTaskCompletedResponse'>;
  activityCompleted: Call<'RespondActivityTaskCompletedRequest', 'RespondActivityTaskCompletedResponse'>;
  activityFailed: Call<'RespondActivityTaskFailedRequest', 'RespondActivityTaskFailedResponse'>;
  activityCanceled: Call<'RespondActivityTaskCanceledRequest', 'RespondActivityTaskCanceledResponse'>;
  heartbeat: Call<'RecordActivityTaskHeartbeatRequest', 'RecordActivityTaskHeartbeatResponse'>;
  history: Call<'GetWorkflowExecutionHistoryRequest', 'GetWorkflowExecutionHistoryResponse'>;
  shutdownWorker: Call<'ShutdownWorkerRequest', 'ShutdownWorkerResponse'>;
  workerHeartbeat: Call<'RecordWorkerHeartbeatRequest', 'RecordWorkerHeartbeatResponse'>;
}

/** Lost pages do not come back by asking for the same one again. */
const RETRY_UNLESS_LOST: GrpcRetryOptions = {
  ...RETRY_UNTIL_CONFIRMED,
  retryableDecider: (attempt, failed) =>
    findErrorDetail(failed as ServiceError, 'WorkflowTaskCompletionBufferLostFailure') === undefined &&
    RETRY_UNTIL_CONFIRMED.retryableDecider(attempt, failed),
};

/** The worker's RPCs over a connection. */
export function workerRpcs(connection: Connection, metrics?: WorkerMetrics): WorkerRpcs {
  const call = <Request extends object, Response>(method: string, retry: GrpcRetryOptions) => {
    const make = makeCall<Request, Response>('temporal.api.workflowservice.v1.WorkflowService', method, connection.rpc, retry);
    return metrics ? measured(method, make, metrics) : make;
  };
  return {
    pollWorkflowTask: call('PollWorkflowTaskQueue', NO_RETRY),
    pollActivityTask: call('PollActivityTaskQueue', NO_RETRY),
    workflowTaskCompleted: call('RespondWorkflowTaskCompleted', RETRY_UNTIL_CONFIRMED),
    workflowTaskPage: call('RespondWorkflowTaskCompleted', RETRY_UNLESS_LOST),
    workflowTaskFailed: call('RespondWorkflowTaskFailed', RETRY_UNTIL_CONFIRMED),
    queryTaskCompleted: call('RespondQueryTaskCompleted', RETRY_UNTIL_CONFIRMED),
    activityCompleted: call('RespondActivityTaskCompleted', RETRY_UNTIL_CONFIRMED),
    activityFailed: call('RespondActivityTaskFailed', RETRY_UNTIL_CONFIRMED),
    activityCanceled: call('RespondActivityTaskCanceled', RETRY_UNTIL_CONFIRMED),
    heartbeat: call('RecordActivityTaskHeartbeat', RETRY_UNTIL_CONFIRMED),
    history: call('GetWorkflowExecutionHistory', connection.options.retry),
    shutdownWorker: call('ShutdownWorker', NO_RETRY),
    workerHeartbeat: call('RecordWorkerHeartbeat', NO_RETRY),
  };
}

function measured<Request, Response>(
  method: string,
  call: (request: Request, context?: CallContext) => Promise<Response>,
  metrics: WorkerMetrics,
): typeof call {
  return async (request, context) => {
    const begin = performance.now();
    try {
      const response = await call(request, context);
      metrics.request(method, performance.now() - begin);
      return response;
    } catch (err) {
      metrics.request(method, performance.now() - begin, err);
      throw err;
    }
  };
}

/** The task is not this worker's any more: it timed out, its run was closed, or an earlier attempt of this answer arrived. */
export function isTaskGone(err: unknown): boolean {
  return isGrpcServiceError(err) && err.code === status.NOT_FOUND;
}

/** The server has lost pages of an answer that came before: all of them are to be sent again. */
export function isPageLost(err: unknown): boolean {
  return isGrpcServiceError(err) && findErrorDetail(err, 'WorkflowTaskCompletionBufferLostFailure') !== undefined;
}

/** The answer was too large for the server or a proxy. */
export function isTooLarge(err: unknown): boolean {
  return isGrpcServiceError(err) && err.code === status.RESOURCE_EXHAUSTED;
}
