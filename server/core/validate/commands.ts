/** Commands of a workflow task: their kinds and order, and each by itself, before anything is written. */
import { type Command, enums } from '../api.js';
import { invalidArgument } from '../errors.js';
import type { CommandContext } from './command-context.js';
import { type CommandFault, camelName, failsTask } from './command-fault.js';
import { requestCancelActivityFault, scheduleActivityFault } from './commands/activity.js';
import { startChildFault } from './commands/child.js';
import { cancelWorkflowFault, completeWorkflowFault, failWorkflowFault } from './commands/close.js';
import { continueAsNewFault } from './commands/continue-as-new.js';
import { requestCancelExternalFault, signalExternalFault } from './commands/external.js';
import { recordMarkerFault } from './commands/marker.js';
import { cancelNexusFault, scheduleNexusFault } from './commands/nexus.js';
import { modifyPropertiesFault, upsertSearchAttributesFault } from './commands/properties.js';
import { cancelTimerFault, startTimerFault } from './commands/timer.js';

const Type = enums.CommandType;
const Cause = enums.WorkflowTaskFailedCause;

type Rule = (command: Command, context: CommandContext) => CommandFault | undefined;

function protocolMessageFault({ protocolMessageCommandAttributes: attributes }: Command): CommandFault | undefined {
  const cause = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE;
  if (!attributes) return failsTask(cause, 'ProtocolMessageCommandAttributes is not set on ProtocolMessageCommand.');
  return failsTask(cause, attributes.messageId ? undefined : 'MessageID is not set on ProtocolMessageCommand.');
}

const RULES = new Map<number, Rule>([
  [Type.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK, (c, context) => scheduleActivityFault(c.scheduleActivityTaskCommandAttributes, context)],
  [Type.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK, (c) => requestCancelActivityFault(c.requestCancelActivityTaskCommandAttributes)],
  [Type.COMMAND_TYPE_START_TIMER, (c, context) => startTimerFault(c.startTimerCommandAttributes, context)],
  [Type.COMMAND_TYPE_CANCEL_TIMER, (c, context) => cancelTimerFault(c.cancelTimerCommandAttributes, context)],
  [Type.COMMAND_TYPE_RECORD_MARKER, (c, context) => recordMarkerFault(c.recordMarkerCommandAttributes, context)],
  [Type.COMMAND_TYPE_PROTOCOL_MESSAGE, protocolMessageFault],
  [
    Type.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
    (c, context) => startChildFault(c.startChildWorkflowExecutionCommandAttributes, context),
  ],
  [
    Type.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
    (c, context) => signalExternalFault(c.signalExternalWorkflowExecutionCommandAttributes, context),
  ],
  [
    Type.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
    (c, context) => requestCancelExternalFault(c.requestCancelExternalWorkflowExecutionCommandAttributes, context),
  ],
  [
    Type.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    (c, context) => upsertSearchAttributesFault(c.upsertWorkflowSearchAttributesCommandAttributes, context),
  ],
  [
    Type.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES,
    (c, context) => modifyPropertiesFault(c.modifyWorkflowPropertiesCommandAttributes, context),
  ],
  [
    Type.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
    (c, context) => completeWorkflowFault(c.completeWorkflowExecutionCommandAttributes, context),
  ],
  [Type.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION, (c, context) => failWorkflowFault(c.failWorkflowExecutionCommandAttributes, context)],
  [Type.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION, (c) => cancelWorkflowFault(c.cancelWorkflowExecutionCommandAttributes)],
  [
    Type.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
    (c, context) => continueAsNewFault(c.continueAsNewWorkflowExecutionCommandAttributes, context),
  ],
  [Type.COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION, (c) => scheduleNexusFault(c.scheduleNexusOperationCommandAttributes)],
  [Type.COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION, (c) => cancelNexusFault(c.requestCancelNexusOperationCommandAttributes)],
]);

const CLOSING = new Set<number>([
  Type.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
  Type.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
  Type.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
  Type.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
]);

/** A command's kind as people read it: `StartTimer`. */
const commandName = (type: number): string => {
  const name: string | undefined = Type[type];
  return name === undefined ? String(type) : camelName(name.slice('COMMAND_TYPE_'.length));
};

/** Whether a command of that kind ends the run. */
export const isClosing = (type: number): boolean => CLOSING.has(type);

/**
 * Refuses kinds that are not known and anything after a command that closes the run. Throws INVALID_ARGUMENT: the answer to the worker is
 * all that comes of it, the task stays started and history stays as it was.
 */
export function requireCommandSequence(commands: readonly Command[]): void {
  for (const [index, command] of commands.entries()) {
    const type = command.commandType ?? 0;
    const before = commands[index - 1]?.commandType ?? 0;
    if (isClosing(before)) {
      const names = commands.map((each) => commandName(each.commandType ?? 0)).join(', ');
      throw invalidArgument(`invalid command sequence: [${names}], command ${commandName(before)} must be the last command.`);
    }
    if (!RULES.has(type)) throw invalidArgument(`unknown command type: ${commandName(type)}`);
  }
}

/**
 * What is wrong with one command by itself; undefined when nothing is. Throws NOT_FOUND when it is for a namespace that does not exist,
 * which again is only answered. Whether ids are taken or pending is for the run's state to say.
 */
export const validateCommand = (command: Command, context: CommandContext): CommandFault | undefined =>
  RULES.get(command.commandType ?? 0)?.(command, context);
