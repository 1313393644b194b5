/** StartTimer and CancelTimer. */
import { enums, type temporal } from '../../api.js';
import { type CommandFault, failsTask } from '../command-fault.js';
import type { CommandContext } from '../command-context.js';
import { durationProblem } from '../duration.js';
import type { Problem } from '../problem.js';
import { exceeds, utf8Length } from '../text-length.js';

const Cause = enums.WorkflowTaskFailedCause;

function idProblem(timerId: string | null | undefined, command: string, lengthMax: number): Problem {
  if (!timerId) return `TimerId is not set on ${command}.`;
  if (!exceeds(timerId, lengthMax)) return undefined;
  return `TimerId on ${command} exceeds length limit. TimerId=${timerId} Length=${utf8Length(timerId)} Limit=${lengthMax}`;
}

export function startTimerFault(
  attributes: temporal.api.command.v1.IStartTimerCommandAttributes | null | undefined,
  { limits }: CommandContext,
): CommandFault | undefined {
  const cause = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES;
  if (!attributes) return failsTask(cause, 'StartTimerCommandAttributes is not set on StartTimerCommand.');
  const { timerId, startToFireTimeout } = attributes;
  const fault = failsTask(cause, idProblem(timerId, 'StartTimerCommand', limits.idLengthMax));
  if (fault) return fault;
  const duration = durationProblem(startToFireTimeout);
  return failsTask(cause, duration && `An invalid StartToFireTimeout is set on StartTimerCommand: ${duration}. TimerId=${timerId}`);
}

export function cancelTimerFault(
  attributes: temporal.api.command.v1.ICancelTimerCommandAttributes | null | undefined,
  { limits }: CommandContext,
): CommandFault | undefined {
  const cause = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES;
  if (!attributes) return failsTask(cause, 'CancelTimerCommandAttributes is not set on CancelTimerCommand.');
  return failsTask(cause, idProblem(attributes.timerId, 'CancelTimerCommand', limits.idLengthMax));
}
