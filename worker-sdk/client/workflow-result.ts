/** Waiting for a workflow's end: a long poll for the close event, through the chain of runs. */
import type { HistoryEvent } from '../definitions/api.js';
import type { TypeInfo } from '../definitions/type-info.js';
import { decodeArrayFromPayloads, decodeFirstPayload, decodeOptionalFailure } from '../payload/conversion.js';
import { CancelledFailure, TerminatedFailure, TimeoutFailure } from '../payload/failure.js';
import { decodeRetryState, RetryState, TimeoutType } from '../payload/failure-enums.js';
import { rethrowGrpcError, WorkflowContinuedAsNewError, WorkflowFailedError } from './errors.js';
import type { RpcContext } from './rpc-context.js';
import { workflowContext } from './rpc-context.js';
import type { WorkflowExecution } from './types.js';

/** HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT */
const CLOSE_EVENT = 2;

/** The result of a workflow; throws {@link WorkflowFailedError} when it ended otherwise. */
export async function workflowResult(
  ctx: RpcContext,
  execution: WorkflowExecution,
  followRuns: boolean,
  typeInfo?: TypeInfo,
): Promise<unknown> {
  let { runId } = execution;
  for (;;) {
    const event = await closeEvent(ctx, { workflowId: execution.workflowId, runId });
    const nextRunId = followRuns ? followedRun(event) : undefined;
    if (!nextRunId) return outcome(ctx, event, execution.workflowId, typeInfo);
    runId = nextRunId;
  }
}

async function closeEvent(ctx: RpcContext, execution: WorkflowExecution): Promise<HistoryEvent> {
  let nextPageToken: Uint8Array | undefined;
  for (;;) {
    let response: Awaited<ReturnType<typeof ctx.service.getWorkflowExecutionHistory>>;
    try {
      response = await ctx.service.getWorkflowExecutionHistory({
        namespace: ctx.namespace,
        execution,
        nextPageToken,
        waitNewEvent: true,
        historyEventFilterType: CLOSE_EVENT,
        skipArchival: true,
      });
    } catch (err) {
      rethrowGrpcError(err, 'Failed to get Workflow execution history', execution);
    }
    const events = response.history?.events ?? [];
    const last = events[events.length - 1];
    if (last) return last;
    // The long poll ended before the workflow: the token says where to go on.
    nextPageToken = response.nextPageToken;
  }
}

/** The run that a workflow went on to, if its last one has a successor. */
function followedRun(event: HistoryEvent): string | undefined {
  return (
    event.workflowExecutionCompletedEventAttributes?.newExecutionRunId ||
    event.workflowExecutionFailedEventAttributes?.newExecutionRunId ||
    event.workflowExecutionTimedOutEventAttributes?.newExecutionRunId ||
    event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ||
    undefined
  );
}

async function outcome(ctx: RpcContext, event: HistoryEvent, workflowId: string, typeInfo?: TypeInfo): Promise<unknown> {
  const context = workflowContext(ctx, workflowId);
  if (event.workflowExecutionCompletedEventAttributes) {
    const { result } = event.workflowExecutionCompletedEventAttributes;
    return decodeFirstPayload(ctx.converter, result?.payloads, context, typeInfo);
  }
  if (event.workflowExecutionFailedEventAttributes) {
    const { failure, retryState } = event.workflowExecutionFailedEventAttributes;
    const cause = await decodeOptionalFailure(ctx.converter, failure, context);
    throw new WorkflowFailedError('Workflow execution failed', cause, decodeRetryState(retryState));
  }
  if (event.workflowExecutionCanceledEventAttributes) {
    const { details } = event.workflowExecutionCanceledEventAttributes;
    const failure = new CancelledFailure('Workflow canceled', await decodeArrayFromPayloads(ctx.converter, details?.payloads, context));
    failure.stack = '';
    throw new WorkflowFailedError('Workflow execution cancelled', failure, RetryState.NON_RETRYABLE_FAILURE);
  }
  if (event.workflowExecutionTerminatedEventAttributes) {
    const reason = event.workflowExecutionTerminatedEventAttributes.reason || 'Workflow execution terminated';
    const failure = new TerminatedFailure(reason);
    failure.stack = '';
    throw new WorkflowFailedError(reason, failure, RetryState.NON_RETRYABLE_FAILURE);
  }
  if (event.workflowExecutionTimedOutEventAttributes) {
    const failure = new TimeoutFailure('Workflow execution timed out', undefined, TimeoutType.START_TO_CLOSE);
    failure.stack = '';
    throw new WorkflowFailedError(
      'Workflow execution timed out',
      failure,
      decodeRetryState(event.workflowExecutionTimedOutEventAttributes.retryState),
    );
  }
  if (event.workflowExecutionContinuedAsNewEventAttributes) {
    const { newExecutionRunId } = event.workflowExecutionContinuedAsNewEventAttributes;
    throw new WorkflowContinuedAsNewError('Workflow execution continued as new', newExecutionRunId ?? '');
  }
  throw new TypeError(`Invalid close event: expected one that ends a workflow, got type ${event.eventType}`);
}
