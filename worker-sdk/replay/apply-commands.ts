/** The commands of one activation, turned into machines and commands of the open API. */
import { ActivityMachine } from './kinds/activity.js';
import { ChildRunMachine } from './kinds/child-run.js';
import { metadataOf } from './kinds/command.js';
import { CancelExternalMachine, SignalExternalMachine } from './kinds/external.js';
import { LocalActivityMachine } from './kinds/local-activity.js';
import { RecordMachine, setPatch, VERSION_SEARCH_ATTRIBUTE } from './kinds/marker.js';
import { CloseMachine, isTerminal } from './kinds/run.js';
import { TimerMachine } from './kinds/timer.js';
import { mergedMemo, UpsertMachine } from './kinds/upsert.js';
import type { Machine } from './machine.js';
import { ReplayError } from './nondeterminism.js';
import type { WorkflowCommand } from './protocol.js';
import type { RunMachine } from './run-machine.js';
import { CoreFlag } from './sdk-flags.js';

/** Applies the commands in order; the one that closes the run comes last, and only the first of these counts. */
export function handleCommands(run: RunMachine, commands: WorkflowCommand[]): void {
  for (const command of inOrder(run, commands)) {
    const machine = handle(run, command);
    if (machine && command.issuedAt) machine.issuedAt = command.issuedAt;
  }
}

function inOrder(run: RunMachine, commands: WorkflowCommand[]): WorkflowCommand[] {
  const first = commands.findIndex(isTerminal);
  if (first < 0) return commands;
  // Histories of old workers know nothing of what came after the close.
  const moves = !run.replaying || run.flags.use(CoreFlag.MoveTerminalCommands, false);
  if (!moves) return commands.slice(0, first + 1);
  return [...commands.filter((command) => !isTerminal(command)), commands[first]!];
}

function handle(run: RunMachine, command: WorkflowCommand): Machine | undefined {
  const { machines } = run;
  if (command.scheduleActivity) return put(machines.activities, command.scheduleActivity.seq, new ActivityMachine(run, command));
  if (command.startTimer) return put(machines.timers, command.startTimer.seq, new TimerMachine(run, command));
  if (command.cancelTimer) return withdraw(machines.timers, command.cancelTimer.seq, (timer) => (timer as TimerMachine).cancel(command));
  if (command.requestCancelActivity) {
    return withdraw(machines.activities, command.requestCancelActivity.seq, (activity) => (activity as ActivityMachine).cancel(command));
  }
  if (command.scheduleLocalActivity) {
    return put(machines.localActivities, command.scheduleLocalActivity.seq, new LocalActivityMachine(run, command, run.nowMs()));
  }
  if (command.requestCancelLocalActivity) {
    return withdraw(machines.localActivities, command.requestCancelLocalActivity.seq, (activity) => activity.cancel());
  }
  if (command.startChildWorkflowExecution) {
    return put(machines.children, command.startChildWorkflowExecution.seq, new ChildRunMachine(run, command));
  }
  if (command.cancelChildWorkflowExecution) {
    const { childWorkflowSeq } = command.cancelChildWorkflowExecution;
    return withdraw(machines.children, childWorkflowSeq, (child) => (child as ChildRunMachine).cancel(command));
  }
  return handleRare(run, command);
}

function handleRare(run: RunMachine, command: WorkflowCommand): Machine | undefined {
  const { machines } = run;
  if (isTerminal(command)) {
    run.closing = true;
    run.localActivities.close();
    return new CloseMachine(run, command, run.start!);
  }
  if (command.updateResponse) {
    const id = command.updateResponse.protocolInstanceId ?? '';
    const update = machines.updates.get(id);
    if (!update) throw new ReplayError(`The workflow answered update '${id}', which nobody asked for`);
    update.respond(command.updateResponse);
    if (update.done) update.forget();
    return update;
  }
  if (command.setPatchMarker) return setPatch(run, run.patches, command);
  if (command.recordMarker) return new RecordMachine(run, command);
  if (command.upsertWorkflowSearchAttributes) return upsertSearchAttributes(run, command);
  if (command.modifyWorkflowProperties) return upsertMemo(run, command);
  if (command.signalExternalWorkflowExecution) {
    return put(machines.signals, command.signalExternalWorkflowExecution.seq, new SignalExternalMachine(run, command));
  }
  if (command.cancelSignalWorkflow) {
    return withdraw(machines.signals, command.cancelSignalWorkflow.seq, (signal) => (signal as SignalExternalMachine).cancel());
  }
  if (command.requestCancelExternalWorkflowExecution) return CancelExternalMachine.fromWorkflow(run, command);
  throw new ReplayError(`The workflow issued a command that replay does not know: ${Object.keys(command).join(', ')}`);
}

function upsertSearchAttributes(run: RunMachine, command: WorkflowCommand): Machine {
  const fields = command.upsertWorkflowSearchAttributes?.searchAttributes?.indexedFields ?? {};
  Object.assign(run.start?.searchAttributes ?? {}, fields);
  // The list of patches is the SDK's; the command stays, so that old histories still fit.
  const forbidden = run.flags.use(CoreFlag.UpsertSearchAttributeOnPatch, !run.replaying) && VERSION_SEARCH_ATTRIBUTE in fields;
  return UpsertMachine.searchAttributes(run, forbidden ? {} : fields, metadataOf(command));
}

/** The run that follows by continue-as-new has the memo as it is then. */
function upsertMemo(run: RunMachine, command: WorkflowCommand): Machine {
  const changes = command.modifyWorkflowProperties?.upsertedMemo?.fields ?? {};
  if (run.start) run.start.memo = { fields: mergedMemo(run.start.memo?.fields ?? {}, changes) };
  return UpsertMachine.memo(run, command);
}

function put<M extends Machine>(map: Map<number, M>, seq: number | null | undefined, machine: M): M {
  machine.keepIn(map as unknown as Map<number | string, Machine>, seq!);
  return machine;
}

/** Cancels something; what is over already needs no cancelling. */
function withdraw<M extends Machine>(map: Map<number, M>, seq: number | null | undefined, cancel: (machine: M) => void): undefined {
  const machine = map.get(seq!);
  if (!machine) return undefined;
  cancel(machine);
  if (machine.done) machine.forget();
  return undefined;
}
