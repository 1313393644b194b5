/** What callers of an update are told when no worker decided its outcome. The texts and types are those that SDKs of the open API know. */
import { enums, type Failure } from './api.js';
import { detail, failedPrecondition, notFound, ServiceError, unavailable } from './errors.js';

const serverFailure = (type: string, message: string): Failure => ({
  message,
  source: 'Server',
  applicationFailureInfo: { type, nonRetryable: true },
});

/** The outcome of an update that was accepted and whose run then ended without completing it. */
export const runEndedFailure = (): Failure =>
  serverFailure('AcceptedUpdateCompletedWorkflow', 'Workflow Update failed because the Workflow completed before the Update completed.');

/** The outcome of an update that a worker was handed and said nothing about. */
export const unprocessedFailure = (): Failure =>
  serverFailure(
    'UnprocessedUpdate',
    "Workflow Update is rejected because it wasn't processed by worker. Probably, Workflow Update is not supported by the worker.",
  );

const notReady = (message: string): ServiceError => new ServiceError('FAILED_PRECONDITION', message, [detail('WorkflowNotReadyFailure')]);

const CAUSE = enums.ResourceExhaustedCause;

const exhausted = (cause: number, message: string): ServiceError =>
  new ServiceError('RESOURCE_EXHAUSTED', message, [
    detail('ResourceExhaustedFailure', { cause, scope: enums.ResourceExhaustedScope.RESOURCE_EXHAUSTED_SCOPE_NAMESPACE }),
  ]);

export const runEnded = (): ServiceError => notFound('workflow update was aborted by closing workflow');

/** The run is about to end, or goes on as a new one; the caller's SDK comes again, and finds the run that is there then. */
export const runIsClosing = (): ServiceError =>
  exhausted(CAUSE.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW, 'workflow operation can not be applied because workflow is closing');

/** Nobody remembers what became of the update: the caller's SDK sends it again. */
export const updateLost = (): ServiceError => unavailable('workflow update was aborted');

export const taskFailed = (): ServiceError =>
  notReady('Unable to perform workflow execution update due to unexpected workflow task failure.');

export const taskKeepsFailing = (): ServiceError =>
  notReady('Unable to perform workflow execution update due to Workflow Task in failed state.');

export const tooManyInFlight = (max: number): ServiceError =>
  exhausted(CAUSE.RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT, `limit on number of concurrent in-flight updates has been reached (${max})`);

export const tooLargeInFlight = (bytesMax: number): ServiceError =>
  exhausted(
    CAUSE.RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT,
    `limit on total payload size of in-flight updates has been reached (${bytesMax} bytes)`,
  );

export const tooManyUpdates = (max: number): ServiceError =>
  failedPrecondition(
    `The limit on the total number of distinct updates in this workflow has been reached (${max}). ` +
      'Give an update that is sent again the same update id, reject in a validator what will not be processed, or continue as new when the workflow task suggests it.',
  );
