/** QueryWorkflow. */
import type { temporal } from '../api.js';
import { requireExecution } from './execution.js';
import type { ValidationLimits } from './limits.js';
import { requirePayloadSize } from './payload-size.js';
import { refuse } from './problem.js';

/** Throws INVALID_ARGUMENT with the first thing that is wrong; answers which run is meant. */
export function validateQueryWorkflow(
  request: temporal.api.workflowservice.v1.IQueryWorkflowRequest,
  limits: ValidationLimits,
): { workflowId: string; runId: string } {
  const execution = requireExecution(request.execution);
  if (!request.query) refuse('WorkflowQuery is not set on request.');
  if (!request.query?.queryType) refuse('QueryType is not set on request.');
  requirePayloadSize(request.query?.queryArgs, limits.payloadSizeMax);
  return execution;
}
