/** The commands that a worker may give, each with what it does: a complete map, so that tsc names the one that is missing. */
import { type Command, enums, toNumber } from './api.js';
import type { CommandContext, CommandHandler } from './command-context.js';
import { unimplemented } from './errors.js';
import { findActivity, requestCancelActivity, scheduleActivity } from './kinds/activity.js';
import { checkApprovalMarker } from './kinds/approval.js';
import { initiateChild } from './kinds/child-run.js';
import { announceClose, announceContinuation, refuseIfUnseen } from './kinds/close.js';
import { continueAsNew } from './kinds/continue-as-new.js';
import { cancelExternal, signalExternal } from './kinds/external.js';
import { recordMarker } from './kinds/marker.js';
import { modifyProperties, upsertSearchAttributes } from './kinds/properties.js';
import { cancelRun, completeRun, failRun } from './kinds/run.js';
import { cancelTimer, startTimer } from './kinds/timer.js';
import { TaskFault } from './task-fault.js';
import { requireCommandSequence, validateCommand } from './validate/commands.js';

const C = enums.CommandType;
const CAUSE = enums.WorkflowTaskFailedCause;

const notYet =
  (what: string): CommandHandler =>
  () => {
    throw unimplemented(`${what} is not supported by this server yet`);
  };

export const commandHandlers: Record<number, CommandHandler> = {
  [C.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK](context, { scheduleActivityTaskCommandAttributes: attributes, userMetadata }) {
    const { turn } = context;
    if (findActivity(turn.state, attributes!.activityId ?? '')) {
      throw new TaskFault(CAUSE.WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID, `ActivityID already exists: ${attributes!.activityId}`);
    }
    const activity = scheduleActivity(turn, attributes!, context.completedEventId, { userMetadata });
    if (attributes!.requestEagerExecution && activity.queue === turn.state.info.taskQueue) context.eager.push(activity);
  },
  [C.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK](context, { requestCancelActivityTaskCommandAttributes: attributes }) {
    const scheduledEventId = toNumber(attributes!.scheduledEventId);
    const activity = context.turn.state.activities[scheduledEventId];
    if (!activity) {
      if (scheduledEventId < context.turn.state.nextEventId && scheduledEventId > 0) return; // it ended while the task ran
      throw new TaskFault(CAUSE.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES, `no activity was scheduled by event ${scheduledEventId}`);
    }
    if (activity.cancelRequestedEventId) return;
    if (requestCancelActivity(context.turn, activity, context.completedEventId)) context.needsTask = true;
  },
  [C.COMMAND_TYPE_START_TIMER](context, { startTimerCommandAttributes: attributes, userMetadata }) {
    const timerId = attributes!.timerId ?? '';
    if (context.turn.state.timers[timerId]) throw new TaskFault(CAUSE.WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID, `TimerID already exists: ${timerId}`);
    startTimer(context.turn, attributes!, context.completedEventId, { userMetadata });
  },
  [C.COMMAND_TYPE_CANCEL_TIMER](context, { cancelTimerCommandAttributes: attributes }) {
    cancelRunningTimer(context, attributes!.timerId ?? '');
  },
  [C.COMMAND_TYPE_RECORD_MARKER](context, { recordMarkerCommandAttributes: attributes, userMetadata }) {
    checkApprovalMarker(context.turn, attributes!);
    recordMarker(context.turn, attributes!, context.completedEventId, { userMetadata });
  },
  [C.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION](context, { completeWorkflowExecutionCommandAttributes: attributes }) {
    refuseIfUnseen(context);
    const event = completeRun(context.turn, attributes!.result, { completedEventId: context.completedEventId });
    announceClose(context.turn, event);
  },
  [C.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION](context, { failWorkflowExecutionCommandAttributes: attributes }) {
    refuseIfUnseen(context);
    const event = failRun(context.turn, attributes!.failure, enums.RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET, {
      completedEventId: context.completedEventId,
    });
    announceClose(context.turn, event);
  },
  [C.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION](context, { cancelWorkflowExecutionCommandAttributes: attributes }) {
    refuseIfUnseen(context);
    announceClose(context.turn, cancelRun(context.turn, attributes!.details, context.completedEventId));
  },
  [C.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION](context, { continueAsNewWorkflowExecutionCommandAttributes: attributes }) {
    refuseIfUnseen(context);
    continueAsNew(context.turn, attributes!, context.completedEventId);
    announceContinuation(context.turn);
  },
  [C.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES](context, { upsertWorkflowSearchAttributesCommandAttributes: attributes }) {
    upsertSearchAttributes(context.turn, attributes!, context.completedEventId);
  },
  [C.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES](context, { modifyWorkflowPropertiesCommandAttributes: attributes }) {
    modifyProperties(context.turn, attributes!, context.completedEventId);
  },
  [C.COMMAND_TYPE_PROTOCOL_MESSAGE]: notYet('an update'),
  [C.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION](context, { startChildWorkflowExecutionCommandAttributes: attributes, userMetadata }) {
    const { turn } = context;
    const full = CAUSE.WORKFLOW_TASK_FAILED_CAUSE_PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED;
    refuseIfFull(full, 'pending child workflow executions', turn.state.children, turn.limits.pendingChildrenMax);
    initiateChild(turn, attributes!, targetOf(context, attributes!.namespace), { userMetadata });
    context.startedChildren.add(attributes!.workflowId!);
  },
  [C.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION](context, { signalExternalWorkflowExecutionCommandAttributes: attributes, userMetadata }) {
    const { turn } = context;
    const full = CAUSE.WORKFLOW_TASK_FAILED_CAUSE_PENDING_SIGNALS_LIMIT_EXCEEDED;
    refuseIfFull(full, 'pending signals to external workflows', turn.state.externalSignals, turn.limits.pendingSignalsMax);
    signalExternal(turn, attributes!, targetOf(context, attributes!.namespace), { userMetadata });
  },
  [C.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION](context, { requestCancelExternalWorkflowExecutionCommandAttributes: attributes, userMetadata }) {
    const { turn } = context;
    const full = CAUSE.WORKFLOW_TASK_FAILED_CAUSE_PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED;
    refuseIfFull(full, 'pending requests to cancel external workflows', turn.state.externalCancels, turn.limits.pendingCancelsMax);
    cancelExternal(turn, attributes!, targetOf(context, attributes!.namespace), { userMetadata });
  },
  [C.COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION]: notYet('a Nexus operation'),
  [C.COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION]: notYet('a Nexus operation'),
};

/** The namespace that a command is for: the one it names (the rules have seen that it is there), else the run's own. */
function targetOf({ turn, completedEventId, namespaceId }: CommandContext, namespace: string | null | undefined): { completedEventId: number; namespaceId: string } {
  return { completedEventId, namespaceId: namespace ? (namespaceId(namespace) ?? '') : turn.state.info.namespaceId };
}

/** Fails the task when a run has as many things pending as it may. */
function refuseIfFull(cause: number, what: string, pending: object, max: number): void {
  const count = Object.keys(pending).length;
  if (count >= max) throw new TaskFault(cause, `the number of ${what}, ${count}, has reached the per-workflow limit of ${max}`);
}

function cancelRunningTimer(context: CommandContext, timerId: string): void {
  const { turn } = context;
  const timer = turn.state.timers[timerId];
  if (timer) {
    cancelTimer(turn, timer, context.completedEventId, context.identity);
    return;
  }
  throw new TaskFault(CAUSE.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES, `no timer with TimerId ${timerId} is running`);
}

/** Carries out the commands of one completion in their order. Throws a TaskFault for what fails the task. */
export function handleCommands(context: CommandContext, commands: readonly Command[]): void {
  requireCommandSequence(commands);
  for (const command of commands) {
    const fault = validateCommand(command, context.rules);
    if (fault) throw new TaskFault(fault.cause, fault.message, fault.terminates);
    const handler = commandHandlers[command.commandType ?? 0];
    if (!handler) throw unimplemented(`commands of type ${command.commandType} are not supported by this server yet`);
    handler(context, command);
  }
}
