/** StartChildWorkflowExecution. */
import { enums, type temporal } from '../../api.js';
import { type CommandFault, failsTask, terminatesRun } from '../command-fault.js';
import type { CommandContext } from '../command-context.js';
import { durationProblem } from '../duration.js';
import { memoExceeds, payloadsExceed } from '../payload-size.js';
import { priorityProblem } from '../priority.js';
import type { Problem } from '../problem.js';
import { retryPolicyProblem } from '../retry-policy.js';
import { attributeSizesProblem, attributeValuesProblem, unknownAttributeProblem } from '../search-attributes.js';
import { taskQueueProblem } from '../task-queue.js';
import { exceeds, nulProblem, utf8Length } from '../text-length.js';
import { cronScheduleProblem } from '../workflow-start.js';
import { requireTargetNamespace } from './external.js';

type ChildAttributes = temporal.api.command.v1.IStartChildWorkflowExecutionCommandAttributes;
const Cause = enums.WorkflowTaskFailedCause;
const COMMAND = 'StartChildWorkflowExecutionCommand';

/** What identifies the child in a message. */
interface Child {
  readonly workflowId: string;
  readonly type: string;
  readonly namespace: string;
}

function idsProblem({ workflowId, type, namespace }: Child, lengthMax: number): Problem {
  if (!workflowId) return `Required field WorkflowId is not set on ${COMMAND}. WorkflowType=${type} Namespace=${namespace}`;
  if (!type) return `Required field WorkflowType is not set on ${COMMAND}. WorkflowId=${workflowId} Namespace=${namespace}`;
  if (exceeds(workflowId, lengthMax)) {
    return `WorkflowId on ${COMMAND} exceeds length limit. WorkflowId=${workflowId} Length=${utf8Length(workflowId)} Limit=${lengthMax} WorkflowType=${type} Namespace=${namespace}`;
  }
  if (exceeds(type, lengthMax)) {
    return `WorkflowType on ${COMMAND} exceeds length limit. WorkflowId=${workflowId} WorkflowType=${type} Length=${utf8Length(type)} Limit=${lengthMax} Namespace=${namespace}`;
  }
  return nulProblem('WorkflowId', workflowId) ?? nulProblem('WorkflowType', type);
}

const about = (problem: Problem, text: string, { workflowId, type, namespace }: Child): Problem =>
  problem && `${text}: ${problem}. WorkflowId=${workflowId} WorkflowType=${type} Namespace=${namespace}`;

function startProblem(attributes: ChildAttributes, child: Child): Problem {
  return (
    about(durationProblem(attributes.workflowExecutionTimeout), `Invalid WorkflowExecutionTimeout on ${COMMAND}`, child) ??
    about(durationProblem(attributes.workflowRunTimeout), `Invalid WorkflowRunTimeout on ${COMMAND}`, child) ??
    about(durationProblem(attributes.workflowTaskTimeout), `Invalid WorkflowTaskTimeout on ${COMMAND}`, child) ??
    about(retryPolicyProblem(attributes.retryPolicy), `invalid WorkflowRetryPolicy on ${COMMAND}`, child) ??
    about(cronScheduleProblem(attributes.cronSchedule), `invalid CronSchedule on ${COMMAND}`, child)
  );
}

function queueProblem(attributes: ChildAttributes, child: Child, lengthMax: number): Problem {
  // A child without a queue of its own runs on its parent's.
  const problem = attributes.taskQueue?.name ? taskQueueProblem(attributes.taskQueue, { lengthMax }) : undefined;
  return problem && `${about(problem, `invalid TaskQueue on ${COMMAND}`, child)} TaskQueue=${attributes.taskQueue?.name}`;
}

function sizeProblem(attributes: ChildAttributes, { limits }: CommandContext): Problem {
  if (payloadsExceed(attributes.input, limits.payloadSizeMax))
    return 'StartChildWorkflowExecutionCommandAttributes. Input exceeds size limit.';
  if (memoExceeds(attributes.memo, limits.memoSizeMax)) return 'StartChildWorkflowExecutionCommandAttributes.Memo exceeds size limit.';
  return attributeSizesProblem(attributes.searchAttributes);
}

export function startChildFault(attributes: ChildAttributes | null | undefined, context: CommandContext): CommandFault | undefined {
  const cause = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES;
  if (!attributes) return failsTask(cause, `StartChildWorkflowExecutionCommandAttributes is not set on ${COMMAND}.`);
  requireTargetNamespace(attributes.namespace, context);
  const badSearch = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES;
  const namespace = attributes.namespace || context.namespace;
  const child: Child = { workflowId: attributes.workflowId ?? '', type: attributes.workflowType?.name ?? '', namespace };
  const custom = context.customSearchAttributes(namespace);
  const lengthMax = context.limits.idLengthMax;
  return (
    failsTask(badSearch, unknownAttributeProblem(attributes.searchAttributes, custom)) ??
    failsTask(cause, idsProblem(child, lengthMax) ?? startProblem(attributes, child)) ??
    failsTask(
      badSearch,
      about(attributeValuesProblem(attributes.searchAttributes, custom), 'invalid SearchAttributes on StartChildWorkflowCommand', child),
    ) ??
    failsTask(cause, priorityProblem(attributes.priority) ?? queueProblem(attributes, child, lengthMax)) ??
    terminatesRun(cause, sizeProblem(attributes, context))
  );
}
