/** The commands about activities, checked against what the run has. */
import { type Command, enums, toNumber } from '../api.js';
import type { CommandContext } from '../command-context.js';
import { requireRoomForActivity } from '../pending-limits.js';
import { TaskFault } from '../task-fault.js';
import type { Turn } from '../turn.js';
import { endedActivityId, findActivity, requestCancelActivity, scheduleActivity, writeCancelRequest } from './activity.js';

const CAUSE = enums.WorkflowTaskFailedCause;

export function scheduleActivityCommand({ turn, completedEventId, eager }: CommandContext, command: Command): void {
  const attributes = command.scheduleActivityTaskCommandAttributes!;
  requireRoomForActivity(turn);
  if (findActivity(turn.state, attributes.activityId ?? '')) {
    throw new TaskFault(
      CAUSE.WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID,
      `an activity with ActivityID ${attributes.activityId} is pending`,
    );
  }
  const activity = scheduleActivity(turn, attributes, completedEventId);
  if (attributes.requestEagerExecution) eager.push(activity);
}

/** The activity may have ended while the task ran: then the request is written, and that is all. */
export function cancelActivityCommand(context: CommandContext, { requestCancelActivityTaskCommandAttributes: attributes }: Command): void {
  const { turn, completedEventId, identity } = context;
  const scheduledEventId = toNumber(attributes!.scheduledEventId);
  const activity = turn.state.activities[scheduledEventId];
  if (activity && !activity.cancelRequestedEventId) {
    if (requestCancelActivity(turn, activity, { completedEventId, identity })) context.needsTask = true;
    return;
  }
  if (!activity && hasJustEnded(turn, scheduledEventId)) {
    writeCancelRequest(turn, scheduledEventId, completedEventId);
    return;
  }
  const problem = activity ? 'its cancellation has been requested before' : 'it is not pending';
  throw new TaskFault(
    CAUSE.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES,
    `the activity with ScheduledEventID ${scheduledEventId} cannot be cancelled: ${problem}`,
  );
}

/** Ended in the buffer, where the worker could not see it, or by an earlier command of the same task. */
function hasJustEnded(turn: Turn, scheduledEventId: number): boolean {
  return (
    turn.events.some((event) => endedActivityId(event) === scheduledEventId) ||
    turn.buffered().some((event) => endedActivityId(event) === scheduledEventId)
  );
}
