/** UpdateWorkflowExecution, PollWorkflowExecutionUpdate, and what update-with-start demands beyond a start and an update. */
import { enums, fromDuration, type temporal } from '../api.js';
import { detail, invalidArgument, ServiceError } from '../errors.js';
import { requireCallbacks } from './callbacks.js';
import { requireExecution } from './execution.js';
import type { CallbackLimits, ValidationLimits } from './limits.js';
import { requirePayloadSize } from './payload-size.js';
import { type Problem, refuse } from './problem.js';
import type { StartWorkflowRequest } from './start-workflow.js';
import { exceeds, nulProblem } from './text-length.js';

type UpdateRequest = temporal.api.workflowservice.v1.IUpdateWorkflowExecutionRequest;
const Stage = enums.UpdateWorkflowExecutionLifecycleStage;

function updateProblem(request: temporal.api.update.v1.IRequest | null | undefined, lengthMax: number): Problem {
  if (!request?.meta) return 'Update meta is not set on request.';
  const updateId = request.meta.updateId ?? '';
  if (exceeds(updateId, lengthMax)) return 'UpdateId length exceeds limit.';
  if (!request.input) return 'Update input is not set on request.';
  return request.input.name ? nulProblem('UpdateId', updateId) : 'Update name is not set on request.';
}

/** Throws INVALID_ARGUMENT (or PERMISSION_DENIED for a stage that cannot be waited for); answers which run is meant. */
export function validateUpdateWorkflow(
  request: UpdateRequest,
  limits: ValidationLimits & CallbackLimits,
): { workflowId: string; runId: string } {
  const execution = requireExecution(request.workflowExecution);
  refuse(updateProblem(request.request, limits.idLengthMax));
  if (request.waitPolicy?.lifecycleStage === Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED) {
    throw new ServiceError(
      'PERMISSION_DENIED',
      'UpdateWorkflowExecution issued asynchronously and waiting on update admitted is not supported.',
      [detail('PermissionDeniedFailure')],
    );
  }
  requireCallbacks(request.request?.completionCallbacks, request.request?.links, limits);
  if (request.request?.completionCallbacks?.length && !request.request.requestId) {
    throw invalidArgument('RequestId is not set on request: it is needed where completion callbacks are.');
  }
  // an update that is accepted becomes an event, and none may be larger
  requirePayloadSize(request.request?.input?.args, limits.payloadSizeMax);
  return execution;
}

export function validatePollUpdate(request: temporal.api.workflowservice.v1.IPollWorkflowExecutionUpdateRequest): {
  workflowId: string;
  runId: string;
  updateId: string;
} {
  const { updateRef } = request;
  if (!updateRef) throw invalidArgument('UpdateRef is not set on request.');
  const execution = requireExecution(updateRef.workflowExecution);
  if (!updateRef.updateId) throw invalidArgument('UpdateId is not set on request.');
  refuse(nulProblem('UpdateId', updateRef.updateId));
  return { ...execution, updateId: updateRef.updateId };
}

/** The two operations of ExecuteMultiOperation, which must be exactly a start and an update. */
export function requireStartAndUpdate(request: temporal.api.workflowservice.v1.IExecuteMultiOperationRequest): {
  start: StartWorkflowRequest;
  update: UpdateRequest;
} {
  const [first, second, ...more] = request.operations ?? [];
  if (!first?.startWorkflow || !second?.updateWorkflow || more.length > 0) {
    throw invalidArgument('Operations have to be exactly [Start, Update].');
  }
  return { start: first.startWorkflow, update: second.updateWorkflow };
}

const namespaceProblem = (own: string | null | undefined, namespace: string): Problem =>
  own && own !== namespace ? "Operation namespace did not match request's namespace." : undefined;

/** What a start may not ask for when an update comes with it. */
export function startOfUpdateProblem(start: StartWorkflowRequest, namespace: string): Problem {
  const other = namespaceProblem(start.namespace, namespace);
  if (other) return other;
  if (start.cronSchedule) return 'CronSchedule is not allowed.';
  if (start.requestEagerExecution) return 'RequestEagerExecution is not supported.';
  return fromDuration(start.workflowStartDelay) > 0 ? 'WorkflowStartDelay is not supported.' : undefined;
}

/** What an update may not ask for when it may start its run. */
export function updateOfStartProblem(update: UpdateRequest, namespace: string): Problem {
  const other = namespaceProblem(update.namespace, namespace);
  if (other) return other;
  if (update.firstExecutionRunId) return 'FirstExecutionRunId is not allowed.';
  return update.workflowExecution?.runId ? 'RunId is not allowed.' : undefined;
}
