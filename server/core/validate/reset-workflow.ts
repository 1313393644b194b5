/** ResetWorkflowExecution, as far as the request alone can tell. */
import { enums, type temporal } from '../api.js';
import { invalidArgument } from '../errors.js';
import { requireExecution } from './execution.js';
import { requireRequestId } from './identity.js';
import type { ValidationLimits } from './limits.js';

export function validateResetWorkflow(
  request: temporal.api.workflowservice.v1.IResetWorkflowExecutionRequest,
  limits: ValidationLimits,
): { workflowId: string; runId: string } {
  requireRequestId(request.requestId, limits.idLengthMax);
  const execution = requireExecution(request.workflowExecution);
  if (!((request.resetReapplyType ?? 0) in enums.ResetReapplyType)) {
    throw invalidArgument(`unknown reset reapply type: ${request.resetReapplyType}`);
  }
  return execution;
}
