/** StartWorkflowExecution: what a request must have, in the order in which callers are told. */
import type { temporal } from '../api.js';
import { requireCallbacks } from './callbacks.js';
import { workflowIdProblem } from './execution.js';
import { requestIdProblem } from './identity.js';
import type { CallbackLimits, ValidationLimits } from './limits.js';
import { requireMemoSize, requirePayloadSize } from './payload-size.js';
import { priorityProblem } from './priority.js';
import { type Problem, refuse } from './problem.js';
import { retryPolicyProblem } from './retry-policy.js';
import { type CustomSearchAttributes, searchAttributesProblem } from './search-attributes.js';
import { taskQueueProblem } from './task-queue.js';
import { exceeds, nulProblem } from './text-length.js';
import { cronScheduleProblem, idPoliciesProblem, requireConflictOptions, startDelayProblem, timeoutsProblem } from './workflow-start.js';

export type StartWorkflowRequest = temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest;

function workflowTypeProblem(type: temporal.api.common.v1.IWorkflowType | null | undefined, lengthMax: number): Problem {
  if (!type?.name) return 'WorkflowType is not set on request.';
  return exceeds(type.name, lengthMax) ? 'WorkflowType length exceeds limit.' : nulProblem('WorkflowType', type.name);
}

/** Throws INVALID_ARGUMENT with the first thing that is wrong. The namespace has been checked before. */
export function validateStartWorkflow(
  request: StartWorkflowRequest,
  limits: ValidationLimits & CallbackLimits,
  custom: CustomSearchAttributes,
): void {
  const lengthMax = limits.idLengthMax;
  refuse(workflowIdProblem(request.workflowId, lengthMax));
  refuse(retryPolicyProblem(request.retryPolicy));
  refuse(startDelayProblem(request.cronSchedule, request.workflowStartDelay));
  refuse(cronScheduleProblem(request.cronSchedule));
  refuse(workflowTypeProblem(request.workflowType, lengthMax));
  refuse(taskQueueProblem(request.taskQueue, { lengthMax }));
  refuse(timeoutsProblem(request));
  refuse(requestIdProblem(request.requestId, lengthMax));
  refuse(idPoliciesProblem(request.workflowIdReusePolicy, request.workflowIdConflictPolicy));
  requireConflictOptions(request.onConflictOptions);
  refuse(searchAttributesProblem(request.searchAttributes, custom));
  refuse(priorityProblem(request.priority));
  requireCallbacks(request.completionCallbacks, request.links, limits);
  requirePayloadSize(request.input, limits.payloadSizeMax);
  requireMemoSize(request.memo, limits.memoSizeMax);
}
