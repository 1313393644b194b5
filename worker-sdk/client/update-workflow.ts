/** Updates: start, wait, and start together with a workflow. */
import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import type { temporal } from '../definitions/api.js';
import type { PayloadTypeInfo, TypeInfo } from '../definitions/type-info.js';
import { decodeFirstPayload, decodeOptionalFailure, encodeToPayloads } from '../payload/conversion.js';
import { WorkflowExecutionAlreadyStartedError } from '../payload/failure.js';
import { hasEnded, rethrowUpdateGrpcError, WorkflowUpdateFailedError } from './errors.js';
import type {
  Headers,
  WorkflowStartUpdateInput,
  WorkflowStartUpdateOutput,
  WorkflowStartUpdateWithStartInput,
  WorkflowStartUpdateWithStartOutput,
} from './interceptors.js';
import { innermostError } from './multi-operation.js';
import type { RpcContext } from './rpc-context.js';
import { workflowContext } from './rpc-context.js';
import { startRequest } from './start-workflow.js';
import { isGrpcServiceError } from '../transport/grpc-error.js';
import type { WorkflowExecution, WorkflowUpdateStage } from './types.js';
import { encodeWorkflowUpdateStage } from './types.js';

type UpdateRequest = temporal.api.workflowservice.v1.IUpdateWorkflowExecutionRequest;
type UpdateResponse = temporal.api.workflowservice.v1.IUpdateWorkflowExecutionResponse;
type StartResponse = temporal.api.workflowservice.v1.IStartWorkflowExecutionResponse;
type Outcome = temporal.api.update.v1.IOutcome;

const ACCEPTED = encodeWorkflowUpdateStage('ACCEPTED')!;
const COMPLETED = encodeWorkflowUpdateStage('COMPLETED')!;

interface Update {
  execution: WorkflowExecution;
  firstExecutionRunId?: string;
  updateId: string;
  name: string;
  args: unknown[];
  headers: Headers;
  typeInfo?: PayloadTypeInfo;
}

async function updateRequest(ctx: RpcContext, update: Update, stage: WorkflowUpdateStage): Promise<UpdateRequest> {
  const { execution, updateId, name, args, headers, typeInfo } = update;
  const payloads = await encodeToPayloads(ctx.converter, args, workflowContext(ctx, execution.workflowId), typeInfo?.inputTypes);
  return {
    namespace: ctx.namespace,
    workflowExecution: execution,
    firstExecutionRunId: update.firstExecutionRunId,
    waitPolicy: { lifecycleStage: encodeWorkflowUpdateStage(stage) },
    request: {
      meta: { updateId, identity: ctx.identity },
      input: { name, header: { fields: headers }, args: { payloads } },
    },
  };
}

/** The server may answer before the update is accepted, to keep the call short: then the same request asks again. */
function isBelowAccepted(response: UpdateResponse | null | undefined): boolean {
  return (response?.stage ?? 0) < ACCEPTED && !response?.outcome;
}

/** Sends an update and waits until it is accepted, or completed if that is asked for and comes within the call. */
export async function startUpdate(
  ctx: RpcContext,
  input: WorkflowStartUpdateInput,
  stage: WorkflowUpdateStage,
): Promise<WorkflowStartUpdateOutput> {
  const updateId = input.options.updateId ?? randomUUID();
  const { workflowExecution: execution, firstExecutionRunId, updateName: name, args, headers, typeInfo } = input;
  const request = await updateRequest(ctx, { execution, firstExecutionRunId, updateId, name, args, headers, typeInfo }, stage);
  try {
    let response: UpdateResponse;
    do {
      response = await ctx.service.updateWorkflowExecution(request);
    } while (isBelowAccepted(response));
    return {
      updateId,
      workflowRunId: response.updateRef?.workflowExecution?.runId ?? execution.runId ?? '',
      outcome: response.outcome ?? undefined,
      outputTypeInfo: typeInfo?.outputType,
    };
  } catch (err) {
    rethrowUpdateGrpcError(err, 'Workflow Update failed', execution);
  }
}

/** What a with-start caller is told about the start half of the operation as soon as it is known. */
export interface StartObserver {
  onStarted(response: StartResponse): void;
  onFailed(err: unknown): void;
}

/** Starts a workflow, or finds it, and updates it: all or nothing. */
export async function startUpdateWithStart(
  ctx: RpcContext,
  input: WorkflowStartUpdateWithStartInput,
  stage: WorkflowUpdateStage,
  observer: StartObserver,
): Promise<WorkflowStartUpdateWithStartOutput> {
  const { workflowType, workflowStartOptions: options, workflowStartHeaders, updateTypeInfo: typeInfo } = input;
  const { workflowId } = options;
  const updateId = input.updateOptions.updateId ?? randomUUID();
  const update = {
    execution: { workflowId },
    updateId,
    name: input.updateName,
    args: input.updateArgs,
    headers: input.updateHeaders,
    typeInfo,
  };
  const operations = [
    { startWorkflow: await startRequest(ctx, { workflowType, headers: workflowStartHeaders, options }) },
    { updateWorkflow: await updateRequest(ctx, update, stage) },
  ];
  try {
    let started: StartResponse | null | undefined;
    let updated: UpdateResponse | null | undefined;
    do {
      const response = await ctx.service.executeMultiOperation({ namespace: ctx.namespace, operations });
      const first = !started;
      started = response.responses?.[0]?.startWorkflow;
      updated = response.responses?.[1]?.updateWorkflow;
      if (first && started) observer.onStarted(started);
    } while (isBelowAccepted(updated));
    const runId = updated?.updateRef?.workflowExecution?.runId ?? started?.runId ?? undefined;
    return {
      workflowExecution: { workflowId, runId },
      updateId,
      updateOutcome: updated?.outcome ?? undefined,
      updateOutputTypeInfo: typeInfo?.outputType,
    };
  } catch (err) {
    const blamed = innermostError(err);
    const exists = isGrpcServiceError(blamed) && blamed.code === status.ALREADY_EXISTS;
    const failed = exists ? new WorkflowExecutionAlreadyStartedError('Workflow execution already started', workflowId, workflowType) : blamed;
    observer.onFailed(failed);
    // The failure of one operation comes as it is; a failure of the whole call is told like that of any other call.
    if (exists || (blamed !== err && !hasEnded(blamed))) throw failed;
    rethrowUpdateGrpcError(err, 'Update-With-Start failed', { workflowId });
  }
}

/** Waits until an update is completed. */
export async function pollUpdateOutcome(ctx: RpcContext, updateId: string, workflowExecution: WorkflowExecution): Promise<Outcome> {
  for (;;) {
    try {
      const response = await ctx.service.pollWorkflowExecutionUpdate({
        namespace: ctx.namespace,
        identity: ctx.identity,
        updateRef: { workflowExecution, updateId },
        waitPolicy: { lifecycleStage: COMPLETED },
      });
      if (response.outcome) return response.outcome;
    } catch (err) {
      rethrowUpdateGrpcError(err, 'Workflow Update failed', workflowExecution);
    }
  }
}

/** The result of a completed update; throws {@link WorkflowUpdateFailedError} when it failed. */
export async function updateResult(ctx: RpcContext, outcome: Outcome, workflowId: string, typeInfo?: TypeInfo): Promise<unknown> {
  const context = workflowContext(ctx, workflowId);
  if (outcome.failure) {
    throw new WorkflowUpdateFailedError('Workflow Update failed', await decodeOptionalFailure(ctx.converter, outcome.failure, context));
  }
  return decodeFirstPayload(ctx.converter, outcome.success?.payloads, context, typeInfo);
}
