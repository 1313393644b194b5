/** The short calls on one workflow: signal, query, cancel, terminate, describe, history. */
import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import type { History, HistoryEvent } from '../definitions/api.js';
import { decodeFirstPayload, encodeToPayloads } from '../payload/conversion.js';
import { isGrpcServiceError } from '../transport/grpc-error.js';
import { QueryNotRegisteredError, QueryRejectedError, rethrowGrpcError, rethrowKnownErrorTypes } from './errors.js';
import type {
  WorkflowCancelInput,
  WorkflowDescribeInput,
  WorkflowQueryInput,
  WorkflowSignalInput,
  WorkflowTerminateInput,
} from './interceptors.js';
import type { RpcContext } from './rpc-context.js';
import { workflowContext } from './rpc-context.js';
import type {
  DescribeWorkflowExecutionResponse,
  RequestCancelWorkflowExecutionResponse,
  TerminateWorkflowExecutionResponse,
  WorkflowExecution,
} from './types.js';

/** Sends a signal. */
export async function signalWorkflow(ctx: RpcContext, input: WorkflowSignalInput): Promise<void> {
  const { workflowExecution, signalName, args, headers, typeInfo } = input;
  const context = workflowContext(ctx, workflowExecution.workflowId);
  const payloads = await encodeToPayloads(ctx.converter, args, context, typeInfo?.inputTypes);
  try {
    await ctx.service.signalWorkflowExecution({
      namespace: ctx.namespace,
      identity: ctx.identity,
      requestId: randomUUID(),
      workflowExecution,
      signalName,
      header: { fields: headers },
      input: { payloads },
    });
  } catch (err) {
    rethrowGrpcError(err, 'Failed to signal Workflow', workflowExecution);
  }
}

/** Asks a workflow's query handler. */
export async function queryWorkflow(ctx: RpcContext, input: WorkflowQueryInput): Promise<unknown> {
  const { workflowExecution: execution, queryType, args, headers, typeInfo } = input;
  const context = workflowContext(ctx, execution.workflowId);
  const payloads = await encodeToPayloads(ctx.converter, args, context, typeInfo?.inputTypes);
  let response: Awaited<ReturnType<typeof ctx.service.queryWorkflow>>;
  try {
    response = await ctx.service.queryWorkflow({
      namespace: ctx.namespace,
      execution,
      queryRejectCondition: input.queryRejectCondition,
      query: { queryType, queryArgs: { payloads }, header: { fields: headers } },
    });
  } catch (err) {
    if (isGrpcServiceError(err)) {
      rethrowKnownErrorTypes(err);
      if (err.code === status.INVALID_ARGUMENT) throw new QueryNotRegisteredError(err.details, err.code);
    }
    rethrowGrpcError(err, 'Failed to query Workflow', execution);
  }
  if (response.queryRejected) throw new QueryRejectedError(response.queryRejected.status ?? 0);
  return decodeFirstPayload(ctx.converter, response.queryResult?.payloads, context, typeInfo?.outputType);
}

/** Requests cancellation. */
export async function cancelWorkflow(ctx: RpcContext, input: WorkflowCancelInput): Promise<RequestCancelWorkflowExecutionResponse> {
  const { namespace, identity } = ctx;
  try {
    return await ctx.service.requestCancelWorkflowExecution({ namespace, identity, requestId: randomUUID(), ...input });
  } catch (err) {
    rethrowGrpcError(err, 'Failed to cancel Workflow', input.workflowExecution);
  }
}

/** Ends a workflow at once, without asking its code. */
export async function terminateWorkflow(ctx: RpcContext, input: WorkflowTerminateInput): Promise<TerminateWorkflowExecutionResponse> {
  const { namespace, identity } = ctx;
  const { details, ...rest } = input;
  const context = workflowContext(ctx, input.workflowExecution.workflowId);
  const payloads = details ? { payloads: await encodeToPayloads(ctx.converter, details, context) } : undefined;
  try {
    return await ctx.service.terminateWorkflowExecution({ namespace, identity, ...rest, details: payloads });
  } catch (err) {
    rethrowGrpcError(err, 'Failed to terminate Workflow', input.workflowExecution);
  }
}

/** Asks for all that the server knows about a run. */
export async function describeWorkflow(ctx: RpcContext, input: WorkflowDescribeInput): Promise<DescribeWorkflowExecutionResponse> {
  try {
    return await ctx.service.describeWorkflowExecution({ namespace: ctx.namespace, execution: input.workflowExecution });
  } catch (err) {
    rethrowGrpcError(err, 'Failed to describe Workflow', input.workflowExecution);
  }
}

/** All events of a run so far. */
export async function fetchWorkflowHistory(ctx: RpcContext, execution: WorkflowExecution): Promise<History> {
  const events: HistoryEvent[] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    try {
      const response = await ctx.service.getWorkflowExecutionHistory({ namespace: ctx.namespace, execution, nextPageToken });
      events.push(...(response.history?.events ?? []));
      nextPageToken = response.nextPageToken;
    } catch (err) {
      rethrowGrpcError(err, 'Failed to fetch Workflow history', execution);
    }
  } while (nextPageToken && nextPageToken.length > 0);
  return { events };
}
