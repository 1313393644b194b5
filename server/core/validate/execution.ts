/** Which run a request is about: a workflow id, and a run id that is a UUID or left out. */
import type { temporal } from '../api.js';
import { invalidArgument } from '../errors.js';
import { exceeds, nulProblem, utf8Length } from './text-length.js';
import { type Problem, refuse } from './problem.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const isUuid = (text: string): boolean => UUID.test(text);

export function workflowIdProblem(workflowId: string | null | undefined, lengthMax: number): Problem {
  if (!workflowId) return 'WorkflowId is not set on request.';
  if (exceeds(workflowId, lengthMax)) return `WorkflowId exceeds maximum allowed length (${utf8Length(workflowId)}/${lengthMax})`;
  return nulProblem('WorkflowId', workflowId);
}

/** Checked where a run is looked up: an id that is too long is one that nobody has, so it is not found rather than refused. */
export function requireExecution(execution: temporal.api.common.v1.IWorkflowExecution | null | undefined): {
  workflowId: string;
  runId: string;
} {
  if (!execution) throw invalidArgument('Execution is not set on request.');
  const { workflowId, runId } = execution;
  if (!workflowId) throw invalidArgument('WorkflowId is not set on request.');
  if (runId && !isUuid(runId)) throw invalidArgument('Invalid RunId.');
  refuse(nulProblem('WorkflowId', workflowId));
  return { workflowId, runId: runId ? runId.toLowerCase() : '' };
}
