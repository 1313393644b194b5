/** CompleteWorkflowExecution, FailWorkflowExecution and CancelWorkflowExecution. */
import { enums, type temporal } from '../../api.js';
import { type CommandFault, failsTask, terminatesRun } from '../command-fault.js';
import type { CommandContext } from '../command-context.js';
import { failureSize, payloadsExceed } from '../payload-size.js';

const Cause = enums.WorkflowTaskFailedCause;

export function completeWorkflowFault(
  attributes: temporal.api.command.v1.ICompleteWorkflowExecutionCommandAttributes | null | undefined,
  { limits }: CommandContext,
): CommandFault | undefined {
  const cause = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_COMPLETE_WORKFLOW_EXECUTION_ATTRIBUTES;
  if (!attributes) return failsTask(cause, 'CompleteWorkflowExecutionCommandAttributes is not set on CompleteWorkflowExecutionCommand.');
  if (!payloadsExceed(attributes.result, limits.payloadSizeMax)) return undefined;
  // Histories of the open API name the activity cause here; tools know it so.
  const tooLarge = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES;
  return terminatesRun(tooLarge, 'CompleteWorkflowExecutionCommandAttributes.Result exceeds size limit.');
}

export function failWorkflowFault(
  attributes: temporal.api.command.v1.IFailWorkflowExecutionCommandAttributes | null | undefined,
  { limits }: CommandContext,
): CommandFault | undefined {
  const cause = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES;
  if (!attributes) return failsTask(cause, 'FailWorkflowExecutionCommandAttributes is not set on FailWorkflowExecutionCommand.');
  if (!attributes.failure) return failsTask(cause, 'Failure is not set on FailWorkflowExecutionCommand.');
  if (failureSize(attributes.failure) <= limits.payloadSizeMax) return undefined;
  return terminatesRun(cause, 'FailWorkflowExecutionCommandAttributes.Failure exceeds size limit.');
}

export function cancelWorkflowFault(
  attributes: temporal.api.command.v1.ICancelWorkflowExecutionCommandAttributes | null | undefined,
): CommandFault | undefined {
  const cause = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_WORKFLOW_EXECUTION_ATTRIBUTES;
  return attributes
    ? undefined
    : failsTask(cause, 'CancelWorkflowExecutionCommandAttributes is not set on CancelWorkflowExecutionCommand.');
}
