/** The commands that a worker may give, each with what it does: a complete map, so that tsc names the one that is missing. */
import { type Command, enums, type HistoryEvent } from './api.js';
import type { CommandContext, CommandHandler } from './command-context.js';
import { unimplemented } from './errors.js';
import { cancelActivityCommand, scheduleActivityCommand } from './kinds/activity-commands.js';
import { checkApprovalMarker } from './kinds/approval.js';
import { initiateChild } from './kinds/child-run.js';
import { announceClose, announceContinuation, refuseIfUnseen } from './kinds/close.js';
import { continueAsNew } from './kinds/continue-as-new.js';
import { cancelExternal, signalExternal } from './kinds/external.js';
import { recordMarker } from './kinds/marker.js';
import { modifyProperties, upsertSearchAttributes } from './kinds/properties.js';
import { afterCompletion, afterFailure, beginSuccessor, type Outcome, type Successor } from './kinds/retry-and-cron.js';
import { cancelRun, completeRun, failRun } from './kinds/run.js';
import { cancelTimerCommand, startTimerCommand } from './kinds/timer-commands.js';
import { requireRoomForCancel, requireRoomForChild, requireRoomForSignal } from './pending-limits.js';
import { TaskFault } from './task-fault.js';
import { handleNamedMessage, handleOtherMessages } from './update-messages.js';
import { isClosing, requireCommandSequence, validateCommand } from './validate/commands.js';

const C = enums.CommandType;

export const commandHandlers: Record<number, CommandHandler> = {
  [C.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK]: scheduleActivityCommand,
  [C.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK]: cancelActivityCommand,
  [C.COMMAND_TYPE_START_TIMER]: startTimerCommand,
  [C.COMMAND_TYPE_CANCEL_TIMER]: cancelTimerCommand,
  [C.COMMAND_TYPE_RECORD_MARKER](context, { recordMarkerCommandAttributes: attributes }) {
    checkApprovalMarker(context.turn, attributes!);
    recordMarker(context.turn, attributes!, context.completedEventId);
  },
  [C.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION](context, { completeWorkflowExecutionCommandAttributes: attributes }) {
    const { turn, completedEventId } = context;
    const successor = afterCompletion(turn);
    const event = completeRun(turn, attributes!.result, { completedEventId, newRunId: successor?.runId });
    end(context, event, successor, { result: attributes!.result });
  },
  [C.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION](context, { failWorkflowExecutionCommandAttributes: attributes }) {
    const { turn, completedEventId } = context;
    const { retryState, successor } = afterFailure(turn, attributes!.failure);
    const event = failRun(turn, attributes!.failure, retryState, { completedEventId, newRunId: successor?.runId });
    end(context, event, successor, { failure: attributes!.failure });
  },
  [C.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION](context, { cancelWorkflowExecutionCommandAttributes: attributes }) {
    announceClose(context.turn, cancelRun(context.turn, attributes!.details, { completedEventId: context.completedEventId }));
  },
  [C.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION](context, { continueAsNewWorkflowExecutionCommandAttributes: attributes }) {
    continueAsNew(context.turn, attributes!, context.completedEventId);
    announceContinuation(context.turn);
  },
  [C.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES](context, { upsertWorkflowSearchAttributesCommandAttributes: attributes }) {
    upsertSearchAttributes(context.turn, attributes!, context.completedEventId);
  },
  [C.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES](context, { modifyWorkflowPropertiesCommandAttributes: attributes }) {
    modifyProperties(context.turn, attributes!, context.completedEventId);
  },
  [C.COMMAND_TYPE_PROTOCOL_MESSAGE](context, { protocolMessageCommandAttributes: attributes }) {
    handleNamedMessage(context, attributes!.messageId ?? '');
  },
  [C.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION](context, { startChildWorkflowExecutionCommandAttributes: attributes }) {
    const { turn } = context;
    requireRoomForChild(turn);
    initiateChild(turn, attributes!, targetOf(context, attributes!.namespace));
    context.startedChildren.add(attributes!.workflowId!);
  },
  [C.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION](context, { signalExternalWorkflowExecutionCommandAttributes: attributes }) {
    const { turn } = context;
    requireRoomForSignal(turn);
    signalExternal(turn, attributes!, targetOf(context, attributes!.namespace));
  },
  [C.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION](
    context,
    { requestCancelExternalWorkflowExecutionCommandAttributes: attributes },
  ) {
    const { turn } = context;
    requireRoomForCancel(turn);
    cancelExternal(turn, attributes!, targetOf(context, attributes!.namespace));
  },
};

/** A closed run either ends its chain, or another follows. */
function end({ turn, started }: CommandContext, event: HistoryEvent, successor: Successor | undefined, outcome: Outcome): void {
  if (!successor) {
    announceClose(turn, event);
    return;
  }
  beginSuccessor(turn, started, successor, outcome);
  announceContinuation(turn);
}

/** The namespace that a command is for: the one it names (the rules have seen that it is there), else the run's own. */
function targetOf(
  { turn, completedEventId, namespaceId }: CommandContext,
  namespace: string | null | undefined,
): { completedEventId: number; namespaceId: string } {
  return { completedEventId, namespaceId: namespace ? (namespaceId(namespace) ?? '') : turn.state.info.namespaceId };
}

/** Carries out the commands of one completion in their order, and the messages that came with them. Throws a TaskFault for what fails the task. */
export function handleCommands(context: CommandContext, commands: readonly Command[]): void {
  requireCommandSequence(commands);
  for (const command of commands) {
    if (isClosing(command.commandType ?? 0)) refuseIfUnseen(context);
    const fault = validateCommand(command, context.rules);
    if (fault) throw new TaskFault(fault.cause, fault.message, fault.terminates);
    const handler = commandHandlers[command.commandType ?? 0];
    if (!handler) throw unimplemented(`commands of type ${command.commandType} are not supported by this server yet`);
    if (command.commandType !== C.COMMAND_TYPE_PROTOCOL_MESSAGE) context.turn.decorate(command);
    handler(context, command);
  }
  handleOtherMessages(context);
}
