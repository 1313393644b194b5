/** SignalWorkflowExecution, and SignalWithStart, which is a start and a signal in one. */
import { enums, type temporal } from '../api.js';
import { requireExecution, workflowIdProblem } from './execution.js';
import { requestIdProblem } from './identity.js';
import type { ValidationLimits } from './limits.js';
import { linksProblem } from './links.js';
import { requireMemoSize, requirePayloadSize } from './payload-size.js';
import { priorityProblem } from './priority.js';
import { type Problem, refuse } from './problem.js';
import { retryPolicyProblem } from './retry-policy.js';
import { type CustomSearchAttributes, searchAttributesProblem } from './search-attributes.js';
import { taskQueueProblem } from './task-queue.js';
import { exceeds, nulProblem, utf8Length } from './text-length.js';
import { cronScheduleProblem, idPoliciesProblem, startDelayProblem, timeoutsProblem } from './workflow-start.js';

/** Throws INVALID_ARGUMENT with the first thing that is wrong; answers which run is meant. */
export function validateSignalWorkflow(
  request: temporal.api.workflowservice.v1.ISignalWorkflowExecutionRequest,
  limits: ValidationLimits,
): { workflowId: string; runId: string } {
  const execution = requireExecution(request.workflowExecution);
  const name = request.signalName;
  if (!name) refuse('SignalName is not set on request.');
  else if (exceeds(name, limits.idLengthMax)) refuse('SignalName length exceeds limit.');
  refuse(requestIdProblem(request.requestId, limits.idLengthMax));
  refuse(linksProblem(request.links));
  requirePayloadSize(request.input, limits.payloadSizeMax);
  return execution;
}

function lengthProblem(what: string, text: string, lengthMax: number): Problem {
  return exceeds(text, lengthMax) ? `${what} exceeds maximum allowed length (${utf8Length(text)}/${lengthMax})` : nulProblem(what, text);
}

export function validateSignalWithStart(
  request: temporal.api.workflowservice.v1.ISignalWithStartWorkflowExecutionRequest,
  limits: ValidationLimits,
  custom: CustomSearchAttributes,
): void {
  const lengthMax = limits.idLengthMax;
  refuse(cronScheduleProblem(request.cronSchedule));
  refuse(workflowIdProblem(request.workflowId, lengthMax));
  refuse(request.signalName ? lengthProblem('signal name', request.signalName, lengthMax) : 'signal not set');
  const type = request.workflowType?.name;
  refuse(type ? lengthProblem('workflow type name', type, lengthMax) : 'workflow type not set');
  refuse(taskQueueProblem(request.taskQueue, { lengthMax }));
  refuse(request.requestId ? lengthProblem('Request ID', request.requestId, lengthMax) : undefined);
  refuse(timeoutsProblem(request));
  refuse(retryPolicyProblem(request.retryPolicy));
  refuse(startDelayProblem(request.cronSchedule, request.workflowStartDelay));
  refuse(idPoliciesProblem(request.workflowIdReusePolicy, request.workflowIdConflictPolicy));
  if (request.workflowIdConflictPolicy === enums.WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL) {
    refuse('Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported for this operation.');
  }
  refuse(searchAttributesProblem(request.searchAttributes, custom));
  refuse(priorityProblem(request.priority));
  refuse(linksProblem(request.links));
  requirePayloadSize(request.input, limits.payloadSizeMax);
  requirePayloadSize(request.signalInput, limits.payloadSizeMax);
  requireMemoSize(request.memo, limits.memoSizeMax);
}
