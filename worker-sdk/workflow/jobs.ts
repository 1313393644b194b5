/** The jobs of an activation, each turned into what workflow code was waiting for. */
import { optionalTsToDate, optionalTsToMs, tsToMs } from '../definitions/duration.js';
import { IllegalStateError } from '../definitions/errors.js';
import { decompileRetryPolicy } from '../definitions/retry-policy.js';
import { decodePriority } from '../definitions/priority.js';
import { WorkflowExecutionAlreadyStartedError } from '../payload/failure.js';
import {
  arrayFromPayloads,
  fromPayloadsAtIndex,
  fromPayloadWithTypeInfo,
  mapFromPayloads,
  toPayloadWithTypeInfo,
} from '../payload/payload-converter.js';
import { decodeSearchAttributes, decodeTypedSearchAttributes } from '../payload/search-attribute-payloads.js';
import type { InitializeWorkflow, Job } from '../replay/protocol.js';
import { LocalActivityDoBackoff } from './errors.js';
import { receiveQuery } from './incoming-queries.js';
import { receiveSignal } from './incoming-signals.js';
import { receiveUpdate } from './incoming-updates.js';
import type { WorkflowExecuteInput } from './interceptors.js';
import type { WorkflowInfo } from './interfaces.js';
import { withLifecycleLog } from './logs.js';
import type { Completion, RunContext } from './run-context.js';

const WORKFLOW_ALREADY_EXISTS = 1;

/** Handles one job. Those that start the workflow or announce patches are the activation's business. */
export function handleJob(run: RunContext, job: Job): void {
  if (job.fireTimer) run.take(run.timers, job.fireTimer.seq)?.resolve(undefined);
  else if (job.resolveActivity) resolveActivity(run, job.resolveActivity);
  else if (job.signalWorkflow) receiveSignal(run, job.signalWorkflow);
  else if (job.doUpdate) receiveUpdate(run, job.doUpdate);
  else if (job.queryWorkflow) receiveQuery(run, job.queryWorkflow);
  else if (job.cancelWorkflow) cancelWorkflow(run);
  else if (job.resolveChildWorkflowExecutionStart) resolveChildStart(run, job.resolveChildWorkflowExecutionStart);
  else if (job.resolveChildWorkflowExecution) resolveChild(run, job.resolveChildWorkflowExecution);
  else if (job.resolveSignalExternalWorkflow) resolveSent(run, run.signalsSent, job.resolveSignalExternalWorkflow);
  else if (job.resolveRequestCancelExternalWorkflow) resolveSent(run, run.cancelsSent, job.resolveRequestCancelExternalWorkflow);
  else if (job.updateRandomSeed) run.random.reseed([...job.updateRandomSeed.randomnessSeed!.toBytes()]);
  else throw new IllegalStateError(`Workflow code got a job that it does not know: ${Object.keys(job).join(', ')}`);
}

/** What the first event says about the run; before any of its code runs. */
export function initialize(run: RunContext, job: InitializeWorkflow): void {
  const { payloadConverter, context } = run;
  run.changeInfo({
    searchAttributes: decodeSearchAttributes(job.searchAttributes?.indexedFields),
    typedSearchAttributes: decodeTypedSearchAttributes(job.searchAttributes?.indexedFields),
    memo: mapFromPayloads(payloadConverter, job.memo?.fields, context) ?? {},
    lastResult: fromPayloadsAtIndex(payloadConverter, 0, job.lastCompletionResult?.payloads, context),
    lastFailure: job.continuedFailure ? run.failureToError(job.continuedFailure) : undefined,
  });
  const options = run.optionsGetter?.();
  if (!options) return;
  run.versioningBehavior = options.versioningBehavior;
  run.failureClasses = options.failureExceptionTypes;
}

/** The part of the information that the first event gives and nothing changes. */
export function startInfo(job: InitializeWorkflow): Partial<WorkflowInfo> {
  const parent = job.parentWorkflowInfo;
  const root = job.rootWorkflow;
  return {
    parent: parent ? { workflowId: parent.workflowId ?? '', runId: parent.runId ?? '', namespace: parent.namespace ?? '' } : undefined,
    root: root ? { workflowId: root.workflowId ?? '', runId: root.runId ?? '' } : undefined,
    firstExecutionRunId: job.firstExecutionRunId ?? '',
    originalExecutionRunId: job.originalExecutionRunId ?? '',
    continuedFromExecutionRunId: job.continuedFromExecutionRunId || undefined,
    startTime: new Date(tsToMs(job.startTime)),
    runStartTime: new Date(tsToMs(job.startTime)),
    executionTimeoutMs: optionalTsToMs(job.workflowExecutionTimeout) || undefined,
    executionExpirationTime: optionalTsToDate(job.workflowExecutionExpirationTime),
    runTimeoutMs: optionalTsToMs(job.workflowRunTimeout) || undefined,
    taskTimeoutMs: tsToMs(job.workflowTaskTimeout),
    retryPolicy: decompileRetryPolicy(job.retryPolicy),
    attempt: job.attempt ?? 1,
    cronSchedule: job.cronSchedule || undefined,
    cronScheduleToScheduleInterval: optionalTsToMs(job.cronScheduleToScheduleInterval) || undefined,
    priority: job.priority ? decodePriority(job.priority) : undefined,
  };
}

/** Calls the workflow function. */
export function startWorkflow(run: RunContext, job: InitializeWorkflow): void {
  const execute = run.intercept(run.inbound, 'execute', ({ args }: WorkflowExecuteInput) => runUserWorkflow(run, args));
  const args = () => arrayFromPayloads(run.payloadConverter, job.arguments, run.context, run.typeInfo?.inputTypes);
  withLifecycleLog(run, () => execute({ headers: job.headers ?? {}, args: args() })).then(
    (result) => {
      const payload = toPayloadWithTypeInfo(run.payloadConverter, result, run.context, run.typeInfo?.outputType);
      run.push({ completeWorkflowExecution: { result: payload } }, true);
    },
    (error) => run.handleFailure(error),
  );
}

async function runUserWorkflow(run: RunContext, args: unknown[]): Promise<unknown> {
  const { workflow } = run;
  if (!workflow) throw new IllegalStateError('The workflow has no function');
  return await workflow(...args);
}

function cancelWorkflow(run: RunContext): void {
  run.cancelled = true;
  run.rootScope.cancel();
}

type Outcome =
  | NonNullable<NonNullable<Job['resolveActivity']>['result']>
  | NonNullable<NonNullable<Job['resolveChildWorkflowExecution']>['result']>;

function settle(run: RunContext, completion: Completion, outcome: Outcome): void {
  const { resolve, reject, context, outputTypeInfo } = completion;
  if (outcome.completed) {
    const payload = outcome.completed.result;
    resolve(payload ? fromPayloadWithTypeInfo(run.payloadConverter, payload, context, outputTypeInfo) : undefined);
    return;
  }
  const failure = outcome.failed?.failure ?? outcome.cancelled?.failure;
  if (!failure) throw new TypeError('Expected an outcome to be completed, failed or cancelled');
  reject(run.failureToError(failure, context));
}

function resolveActivity(run: RunContext, { seq, result }: NonNullable<Job['resolveActivity']>): void {
  const completion = run.take(run.activities, seq);
  if (!completion || !result) throw new IllegalStateError(`Nothing waits for activity ${seq}`);
  if (result.backoff) completion.reject(new LocalActivityDoBackoff(result.backoff));
  else settle(run, completion, result);
}

function resolveChildStart(run: RunContext, job: NonNullable<Job['resolveChildWorkflowExecutionStart']>): void {
  const completion = run.take(run.childStarts, job.seq);
  if (!completion) throw new IllegalStateError(`Nothing waits for the start of child ${job.seq}`);
  if (job.succeeded) {
    completion.resolve(job.succeeded.runId);
    return;
  }
  run.childResults.delete(job.seq!);
  if (job.cancelled?.failure) {
    completion.reject(run.failureToError(job.cancelled.failure, completion.context));
    return;
  }
  const { workflowId, workflowType, cause } = job.failed ?? {};
  if (cause !== WORKFLOW_ALREADY_EXISTS)
    throw new IllegalStateError(`A child failed to start for a cause that this SDK does not know: ${cause}`);
  completion.reject(new WorkflowExecutionAlreadyStartedError('Workflow execution already started', workflowId ?? '', workflowType ?? ''));
}

function resolveChild(run: RunContext, { seq, result }: NonNullable<Job['resolveChildWorkflowExecution']>): void {
  const completion = run.take(run.childResults, seq);
  if (!completion || !result) throw new IllegalStateError(`Nothing waits for child ${seq}`);
  settle(run, completion, result);
}

type Sent = NonNullable<Job['resolveSignalExternalWorkflow']>;

function resolveSent(run: RunContext, from: Map<number, Completion>, { seq, failure }: Sent): void {
  const completion = run.take(from, seq);
  if (!completion) throw new IllegalStateError(`Nothing waits for the delivery of ${seq}`);
  if (failure) completion.reject(run.failureToError(failure, completion.context));
  else completion.resolve(undefined);
}
