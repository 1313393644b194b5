/** SignalExternalWorkflowExecution and RequestCancelExternalWorkflowExecution: messages to another run. */
import { enums, type temporal } from '../../api.js';
import { namespaceNotFound } from '../../errors.js';
import { type CommandFault, failsTask, terminatesRun } from '../command-fault.js';
import type { CommandContext } from '../command-context.js';
import { isUuid } from '../execution.js';
import { payloadsExceed } from '../payload-size.js';
import type { Problem } from '../problem.js';
import { exceeds, nulProblem, utf8Length } from '../text-length.js';

type SignalAttributes = temporal.api.command.v1.ISignalExternalWorkflowExecutionCommandAttributes;
type CancelAttributes = temporal.api.command.v1.IRequestCancelExternalWorkflowExecutionCommandAttributes;
const Cause = enums.WorkflowTaskFailedCause;

/** A command for a namespace that does not exist is answered with an error, and its task stays as it was. */
export function requireTargetNamespace(namespace: string | null | undefined, { namespaceExists }: CommandContext): void {
  if (namespace && !namespaceExists(namespace)) throw namespaceNotFound(namespace);
}

function signalProblem(attributes: SignalAttributes, lengthMax: number): Problem {
  const command = 'SignalExternalWorkflowExecutionCommand';
  if (!attributes.execution) return `Execution is not set on ${command}.`;
  const { workflowId, runId } = attributes.execution;
  const namespace = attributes.namespace ?? '';
  const where = `Namespace=${namespace} RunId=${runId ?? ''}`;
  const signal = `SignalName=${attributes.signalName ?? ''}`;
  if (!workflowId) return `WorkflowId is not set on ${command}. ${where} ${signal}`;
  if (exceeds(workflowId, lengthMax)) {
    return `WorkflowId on ${command} exceeds length limit. WorkflowId=${workflowId} Length=${utf8Length(workflowId)} Limit=${lengthMax} ${where} ${signal}`;
  }
  if (runId && !isUuid(runId)) return `Invalid RunId set on ${command}. WorkflowId=${workflowId} ${where} ${signal}`;
  return attributes.signalName
    ? nulProblem('WorkflowId', workflowId)
    : `SignalName is not set on ${command}. WorkflowId=${workflowId} ${where}`;
}

export function signalExternalFault(attributes: SignalAttributes | null | undefined, context: CommandContext): CommandFault | undefined {
  const cause = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
  if (!attributes)
    return failsTask(cause, 'SignalExternalWorkflowExecutionCommandAttributes is not set on SignalExternalWorkflowExecutionCommand.');
  requireTargetNamespace(attributes.namespace, context);
  const fault = failsTask(cause, signalProblem(attributes, context.limits.idLengthMax));
  if (fault || !payloadsExceed(attributes.input, context.limits.payloadSizeMax)) return fault;
  return terminatesRun(cause, 'SignalExternalWorkflowExecutionCommandAttributes.Input exceeds size limit.');
}

function cancelProblem(attributes: CancelAttributes, { limits, startedChildren }: CommandContext): Problem {
  const command = 'RequestCancelExternalWorkflowExecutionCommand';
  const { workflowId } = attributes;
  const namespace = attributes.namespace ?? '';
  const runId = attributes.runId ?? '';
  if (!workflowId) return `WorkflowId is not set on ${command}. Namespace=${namespace} RunId=${runId}`;
  const where = `RunId=${runId} Namespace=${namespace}`;
  if (exceeds(workflowId, limits.idLengthMax)) {
    return `WorkflowId on ${command} exceeds length limit. WorkflowId=${workflowId} Length=${utf8Length(workflowId)} Limit=${limits.idLengthMax} ${where}`;
  }
  if (runId && !isUuid(runId)) return `Invalid RunId set on ${command}. WorkflowId=${workflowId} ${where}`;
  if (!startedChildren.has(workflowId)) return nulProblem('WorkflowId', workflowId);
  return `Start and RequestCancel for child workflow is not allowed in same workflow task. WorkflowId=${workflowId} ${where}`;
}

export function requestCancelExternalFault(
  attributes: CancelAttributes | null | undefined,
  context: CommandContext,
): CommandFault | undefined {
  const cause = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
  if (!attributes) {
    return failsTask(
      cause,
      'RequestCancelExternalWorkflowExecutionCommandAttributes is not set on RequestCancelExternalWorkflowExecutionCommand.',
    );
  }
  requireTargetNamespace(attributes.namespace, context);
  return failsTask(cause, cancelProblem(attributes, context));
}
