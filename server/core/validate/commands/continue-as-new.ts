/** ContinueAsNewWorkflowExecution. */
import { enums, type temporal } from '../../api.js';
import { type CommandFault, failsTask, terminatesRun } from '../command-fault.js';
import type { CommandContext } from '../command-context.js';
import { durationProblem } from '../duration.js';
import { memoExceeds, payloadsExceed } from '../payload-size.js';
import type { Problem } from '../problem.js';
import { retryPolicyProblem } from '../retry-policy.js';
import { attributeSizesProblem, attributeValuesProblem, unknownAttributeProblem } from '../search-attributes.js';
import { taskQueueProblem } from '../task-queue.js';
import { exceeds, nulProblem, utf8Length } from '../text-length.js';

type ContinueAttributes = temporal.api.command.v1.IContinueAsNewWorkflowExecutionCommandAttributes;
const Cause = enums.WorkflowTaskFailedCause;
const COMMAND = 'ContinueAsNewWorkflowExecutionCommand';

const about = (problem: Problem, text: string, { workflowType, taskQueue }: ContinueAttributes): Problem =>
  problem && `${text}: ${problem}. WorkflowType=${workflowType?.name ?? ''} TaskQueue=${taskQueue?.name ?? ''}`;

/** Type and queue may be left out: the new run then has those of the old one. */
function namesProblem(attributes: ContinueAttributes, lengthMax: number): Problem {
  const type = attributes.workflowType?.name ?? '';
  if (exceeds(type, lengthMax)) {
    return `WorkflowType on ${COMMAND} exceeds length limit. WorkflowType=${type} Length=${utf8Length(type)} Limit=${lengthMax}`;
  }
  const queue = attributes.taskQueue?.name ? taskQueueProblem(attributes.taskQueue, { lengthMax }) : undefined;
  return nulProblem('WorkflowType', type) ?? about(queue, `error validating ${COMMAND} TaskQueue`, attributes);
}

function startProblem(attributes: ContinueAttributes): Problem {
  return (
    about(durationProblem(attributes.workflowRunTimeout), `Invalid WorkflowRunTimeout on ${COMMAND}`, attributes) ??
    about(durationProblem(attributes.workflowTaskTimeout), `Invalid WorkflowTaskTimeout on ${COMMAND}`, attributes) ??
    about(durationProblem(attributes.backoffStartInterval), `Invalid BackoffStartInterval on ${COMMAND}`, attributes) ??
    about(retryPolicyProblem(attributes.retryPolicy), `invalid WorkflowRetryPolicy on ${COMMAND}`, attributes)
  );
}

function sizeProblem(attributes: ContinueAttributes, { limits }: CommandContext): Problem {
  if (payloadsExceed(attributes.input, limits.payloadSizeMax))
    return 'ContinueAsNewWorkflowExecutionCommandAttributes. Input exceeds size limit.';
  if (memoExceeds(attributes.memo, limits.memoSizeMax)) return 'ContinueAsNewWorkflowExecutionCommandAttributes. Memo exceeds size limit.';
  return attributeSizesProblem(attributes.searchAttributes);
}

export function continueAsNewFault(attributes: ContinueAttributes | null | undefined, context: CommandContext): CommandFault | undefined {
  const cause = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES;
  if (!attributes) return failsTask(cause, `ContinueAsNewWorkflowExecutionCommandAttributes is not set on ${COMMAND}.`);
  const badSearch = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES;
  const custom = context.customSearchAttributes(context.namespace);
  const values = attributeValuesProblem(attributes.searchAttributes, custom);
  return (
    failsTask(badSearch, unknownAttributeProblem(attributes.searchAttributes, custom)) ??
    failsTask(cause, namesProblem(attributes, context.limits.idLengthMax) ?? startProblem(attributes)) ??
    failsTask(badSearch, about(values, `invalid SearchAttributes on ${COMMAND}`, attributes)) ??
    terminatesRun(cause, sizeProblem(attributes, context))
  );
}
