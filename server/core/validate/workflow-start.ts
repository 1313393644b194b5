/** The rules that everything shares which starts a run by request: StartWorkflowExecution, SignalWithStart, update-with-start. */
import { type Duration, enums, type temporal } from '../api.js';
import { cronProblem } from '../cron.js';
import { invalidArgument } from '../errors.js';
import { durationProblem } from './duration.js';
import type { Problem } from './problem.js';

type ReusePolicy = temporal.api.enums.v1.WorkflowIdReusePolicy;
type ConflictPolicy = temporal.api.enums.v1.WorkflowIdConflictPolicy;

const named = (field: string, problem: Problem): Problem => problem && `An invalid ${field} is set on request. cause: ${problem}`;

export interface Timeouts {
  readonly workflowExecutionTimeout?: Duration | null;
  readonly workflowRunTimeout?: Duration | null;
  readonly workflowTaskTimeout?: Duration | null;
}

export const timeoutsProblem = (request: Timeouts): Problem =>
  named('WorkflowExecutionTimeoutSeconds', durationProblem(request.workflowExecutionTimeout)) ??
  named('WorkflowRunTimeoutSeconds', durationProblem(request.workflowRunTimeout)) ??
  named('WorkflowTaskTimeoutSeconds', durationProblem(request.workflowTaskTimeout));

export function startDelayProblem(cronSchedule: string | null | undefined, delay: Duration | null | undefined): Problem {
  if (cronSchedule && delay) return 'CronSchedule and WorkflowStartDelay may not be used together.';
  return named('WorkflowStartDelaySeconds', durationProblem(delay));
}

/** A schedule that cannot be read, or that no time ever satisfies. */
export const cronScheduleProblem = (cronSchedule: string | null | undefined): Problem =>
  cronSchedule ? cronProblem(cronSchedule) : undefined;

export function idPoliciesProblem(reuse: ReusePolicy | null | undefined, conflict: ConflictPolicy | null | undefined): Problem {
  const { WorkflowIdReusePolicy: Reuse, WorkflowIdConflictPolicy: Conflict } = enums;
  if (conflict && reuse === Reuse.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING) {
    return 'Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be used together with a WorkflowIDConflictPolicy';
  }
  const rejecting = reuse === Reuse.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE;
  if (rejecting && conflict === Conflict.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING) {
    return 'Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE cannot be used together with WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING';
  }
  return undefined;
}

export function requireConflictOptions(options: temporal.api.workflow.v1.IOnConflictOptions | null | undefined): void {
  if (options?.attachCompletionCallbacks && !options.attachRequestId) {
    throw invalidArgument('attaching request ID is required for attaching completion callbacks');
  }
}
