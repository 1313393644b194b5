/** StartWorkflowExecution and SignalWithStartWorkflowExecution. */
import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { compilePriority } from '../definitions/priority.js';
import { compileRetryPolicy } from '../definitions/retry-policy.js';
import { encodeWorkflowIdConflictPolicy, encodeWorkflowIdReusePolicy } from '../definitions/workflow-options.js';
import { encodeMapToPayloads, encodeToPayloads, encodeUserMetadata } from '../payload/conversion.js';
import { WorkflowExecutionAlreadyStartedError } from '../payload/failure.js';
import { encodeUnifiedSearchAttributes } from '../payload/search-attribute-payloads.js';
import { isGrpcServiceError } from '../transport/grpc-error.js';
import { rethrowGrpcError } from './errors.js';
import type { WorkflowSignalWithStartInput, WorkflowStartInput, WorkflowStartOutput } from './interceptors.js';
import type { RpcContext } from './rpc-context.js';
import { workflowContext } from './rpc-context.js';
import type { StartWorkflowExecutionRequest } from './types.js';

/** The request for a start. Its `requestId` makes retries of the call harmless. */
export async function startRequest(ctx: RpcContext, input: WorkflowStartInput): Promise<StartWorkflowExecutionRequest> {
  const { options, workflowType, headers } = input;
  const context = workflowContext(ctx, options.workflowId);
  const { memo, searchAttributes, typedSearchAttributes } = options;
  const hasSearchAttributes = searchAttributes || typedSearchAttributes;
  return {
    namespace: ctx.namespace,
    identity: ctx.identity,
    requestId: randomUUID(),
    workflowId: options.workflowId,
    workflowIdReusePolicy: encodeWorkflowIdReusePolicy(options.workflowIdReusePolicy),
    workflowIdConflictPolicy: encodeWorkflowIdConflictPolicy(options.workflowIdConflictPolicy),
    workflowType: { name: workflowType },
    input: { payloads: await encodeToPayloads(ctx.converter, options.args, context, options.typeInfo?.inputTypes) },
    taskQueue: { kind: 1, name: options.taskQueue },
    workflowExecutionTimeout: options.workflowExecutionTimeout,
    workflowRunTimeout: options.workflowRunTimeout,
    workflowTaskTimeout: options.workflowTaskTimeout,
    workflowStartDelay: options.startDelay,
    retryPolicy: options.retry ? compileRetryPolicy(options.retry) : undefined,
    memo: memo ? { fields: await encodeMapToPayloads(ctx.converter, memo, context) } : undefined,
    searchAttributes: hasSearchAttributes
      ? { indexedFields: encodeUnifiedSearchAttributes(searchAttributes, typedSearchAttributes) }
      : undefined,
    cronSchedule: options.cronSchedule,
    header: { fields: headers },
    userMetadata: await encodeUserMetadata(ctx.converter, options.staticSummary, options.staticDetails, context),
    priority: options.priority ? compilePriority(options.priority) : undefined,
    versioningOverride: options.versioningOverride,
  };
}

/** Starts a workflow. */
export async function startWorkflow(ctx: RpcContext, input: WorkflowStartInput): Promise<WorkflowStartOutput> {
  const request = await startRequest(ctx, input);
  const { options } = input;
  const slot = options.requestEagerStart ? ctx.eagerStarts()?.reserve(ctx.namespace, options.taskQueue) : undefined;
  try {
    const response = await ctx.service.startWorkflowExecution(slot ? { ...request, requestEagerExecution: true } : request);
    const task = response.eagerWorkflowTask;
    if (slot && task) slot.run(task);
    else slot?.release();
    return { runId: response.runId, eagerlyStarted: Boolean(slot && task) };
  } catch (err) {
    slot?.release();
    rethrowStartError(err, options.workflowId, input.workflowType);
  }
}

/** Starts a workflow if it is not running, and sends it a signal. Answers with the run that got the signal. */
export async function signalWithStartWorkflow(ctx: RpcContext, input: WorkflowSignalWithStartInput): Promise<string> {
  const { options, signalName, signalArgs, signalTypeInfo } = input;
  const { input: args, ...request } = await startRequest(ctx, input);
  const context = workflowContext(ctx, options.workflowId);
  const signalInput = { payloads: await encodeToPayloads(ctx.converter, signalArgs, context, signalTypeInfo?.inputTypes) };
  try {
    const response = await ctx.service.signalWithStartWorkflowExecution({ ...request, input: args, signalName, signalInput });
    return response.runId;
  } catch (err) {
    rethrowStartError(err, options.workflowId, input.workflowType);
  }
}

/** Throws the client's error for a failed start. */
export function rethrowStartError(err: unknown, workflowId: string, workflowType: string): never {
  if (isGrpcServiceError(err) && err.code === status.ALREADY_EXISTS) {
    throw new WorkflowExecutionAlreadyStartedError('Workflow execution already started', workflowId, workflowType);
  }
  rethrowGrpcError(err, 'Failed to start Workflow', { workflowId });
}
