/** ScheduleActivityTask and RequestCancelActivityTask. */
import { enums, fromDuration, type temporal, toNumber } from '../../api.js';
import { type CommandFault, failsTask, terminatesRun } from '../command-fault.js';
import type { CommandContext } from '../command-context.js';
import { durationProblem } from '../duration.js';
import { payloadsExceed } from '../payload-size.js';
import { priorityProblem } from '../priority.js';
import type { Problem } from '../problem.js';
import { retryPolicyProblem } from '../retry-policy.js';
import { taskQueueProblem } from '../task-queue.js';
import { exceeds, utf8Length } from '../text-length.js';

type ScheduleAttributes = temporal.api.command.v1.IScheduleActivityTaskCommandAttributes;
const Cause = enums.WorkflowTaskFailedCause;

function lengthProblem(what: string, text: string, lengthMax: number): Problem {
  return exceeds(text, lengthMax) ? `${what} exceeds length limit. Length=${utf8Length(text)} Limit=${lengthMax}` : undefined;
}

function timeoutsProblem(attributes: ScheduleAttributes): Problem {
  const timeouts = [
    ['ScheduleToCloseTimeout', attributes.scheduleToCloseTimeout],
    ['ScheduleToStartTimeout', attributes.scheduleToStartTimeout],
    ['StartToCloseTimeout', attributes.startToCloseTimeout],
    ['HeartbeatTimeout', attributes.heartbeatTimeout],
  ] as const;
  for (const [name, timeout] of timeouts) {
    const problem = durationProblem(timeout);
    if (problem) return `invalid ${name}: ${problem}`;
  }
  if (fromDuration(attributes.scheduleToCloseTimeout) > 0 || fromDuration(attributes.startToCloseTimeout) > 0) return undefined;
  return `a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity. ActivityId=${attributes.activityId} ActivityType=${attributes.activityType?.name}`;
}

/** What is wrong with what an activity is scheduled with, or is to have from now on. */
export function scheduleProblem(attributes: ScheduleAttributes, lengthMax: number): Problem {
  const queue = taskQueueProblem(attributes.taskQueue, { lengthMax });
  if (queue) return queue;
  const { activityId, activityType } = attributes;
  if (!activityId) return 'activityId is not set';
  if (!activityType?.name) return 'activityType is not set';
  const retry = retryPolicyProblem(attributes.retryPolicy);
  if (retry) return retry;
  const length = lengthProblem('activityId', activityId, lengthMax) ?? lengthProblem('activityType', activityType.name, lengthMax);
  if (length) return length;
  const priority = priorityProblem(attributes.priority);
  return priority ? `invalid priorities: ${priority}` : timeoutsProblem(attributes);
}

export function scheduleActivityFault(
  attributes: ScheduleAttributes | null | undefined,
  { limits }: CommandContext,
): CommandFault | undefined {
  const cause = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES;
  if (!attributes) return failsTask(cause, 'ScheduleActivityTaskCommandAttributes is not set on ScheduleActivityTaskCommand.');
  const fault = failsTask(cause, scheduleProblem(attributes, limits.idLengthMax));
  if (fault || !payloadsExceed(attributes.input, limits.payloadSizeMax)) return fault;
  return terminatesRun(cause, 'ScheduleActivityTaskCommandAttributes.Input exceeds size limit.');
}

export function requestCancelActivityFault(
  attributes: temporal.api.command.v1.IRequestCancelActivityTaskCommandAttributes | null | undefined,
): CommandFault | undefined {
  const cause = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES;
  if (!attributes) return failsTask(cause, 'RequestCancelActivityTaskCommandAttributes is not set on RequestCancelActivityTaskCommand.');
  const unset = toNumber(attributes.scheduledEventId) <= 0;
  return failsTask(cause, unset ? 'ScheduledEventId is not set on RequestCancelActivityTaskCommand.' : undefined);
}
