/** One history event, applied to the machine of a run: command events meet their commands, all others become jobs. */
import type { HistoryEvent } from '../definitions/api.js';
import { tsToMs } from '../definitions/duration.js';
import { eventName, EventType, idOf, initiatingEventId, isCommandEvent, isFinalEvent } from './events.js';
import { cancelRequested } from './kinds/cancel.js';
import { isLocalActivityMarker } from './kinds/local-activity.js';
import { markerDetail, PatchMachine, patchOf, VERSION_SEARCH_ATTRIBUTE } from './kinds/marker.js';
import { initializeJob } from './kinds/run.js';
import { signaled } from './kinds/signal.js';
import { describeEvent } from './machine.js';
import { NondeterminismError, ReplayError } from './nondeterminism.js';
import type { RunMachine } from './run-machine.js';

export interface EventContext {
  /** Whether the piece of history being applied is the last one. */
  lastTask: boolean;
  next: HistoryEvent | undefined;
}

type Outcome = 'applied' | 'skip next';

const PATCH_ADVICE =
  'Only a call of deprecatePatch() may be removed, and a call of patched() only once no run with such a marker is left: put the call back.';

/** Events that say nothing to workflow code. */
const SILENT: ReadonlySet<number> = new Set([
  EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED,
]);

export function applyEvent(run: RunMachine, event: HistoryEvent, context: EventContext): Outcome {
  if (isFinalEvent(event)) run.sawFinalEvent = true;
  if (SILENT.has(event.eventType ?? 0)) return 'applied';
  if (isCommandEvent(event)) return applyCommandEvent(run, event, context);
  const initiatedBy = initiatingEventId(event);
  if (initiatedBy !== undefined) answer(run, event, initiatedBy);
  else applyOther(run, event);
  return 'applied';
}

function answer(run: RunMachine, event: HistoryEvent, initiatedBy: number): void {
  const machine = run.machines.byEvent.get(initiatedBy);
  if (!machine) {
    throw new NondeterminismError({
      code: `has nothing under way that event ${initiatedBy} began`,
      history: describeEvent(event),
      event,
    });
  }
  machine.answered(event);
  if (!machine.done) return;
  run.machines.byEvent.delete(initiatedBy);
  machine.forget();
}

function applyOther(run: RunMachine, event: HistoryEvent): void {
  switch (event.eventType) {
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
      applyStarted(run, event);
      return;
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
      signaled(run, event);
      return;
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
      cancelRequested(run, event);
      return;
    case EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:
      run.workflowTask.started(event);
      return;
    case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
      run.workflowTask.completed(event);
      return;
    case EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
      run.workflowTask.failed(event);
      return;
    default:
      if (event.workerMayIgnore) return;
      throw new ReplayError(
        `This SDK does not know history events of type ${eventName(event.eventType)} (event ${idOf(event)}). Upgrade it.`,
      );
  }
}

function applyStarted(run: RunMachine, event: HistoryEvent): void {
  const attributes = event.workflowExecutionStartedEventAttributes!;
  // A query may come before the first task: it sees the time of the start.
  run.advanceTime(tsToMs(event.eventTime));
  run.start = {
    startMs: tsToMs(event.eventTime),
    workflowTaskTimeoutMs: tsToMs(attributes.workflowTaskTimeout) || 10_000,
    memo: attributes.memo,
    retryPolicy: attributes.retryPolicy,
    searchAttributes: { ...attributes.searchAttributes?.indexedFields },
  };
  run.pushJob({ initializeWorkflow: initializeJob(attributes, run.workflowId, event.eventTime) });
}

function applyCommandEvent(run: RunMachine, event: HistoryEvent, context: EventContext): Outcome {
  if (isLocalActivityMarker(event)) {
    const seq = markerDetail<{ seq: number }>(event, 'data')?.seq ?? -1;
    const machine = run.machines.localActivities.get(seq);
    if (!machine) throw noCommand(event, `did not ask for local activity ${seq}`);
    if (machine.markerNeedsNoCommand) {
      machine.commandRecorded(event);
      machine.forget();
      return 'applied';
    }
  }
  for (;;) {
    const skip = skipForPatches(run, event, context.next);
    if (skip === 'command') {
      run.commands.shift();
      continue;
    }
    if (skip) return skip.outcome;
    const queued = run.commands.shift();
    if (!queued) throw noCommand(event, undefined);
    if (queued.machine.withdrawn) continue;
    queued.machine.commandRecorded(event, context.lastTask);
    if (queued.machine.done) queued.machine.forget();
    else run.machines.byEvent.set(idOf(event), queued.machine);
    return 'applied';
  }
}

function noCommand(event: HistoryEvent, code: string | undefined): NondeterminismError {
  return new NondeterminismError({ code, history: describeEvent(event), event });
}

/**
 * Patches are the one place where code and history may differ: the marker of a deprecated patch needs no call, and a call that replay
 * answered with "old" has no marker.
 */
function skipForPatches(
  run: RunMachine,
  event: HistoryEvent,
  next: HistoryEvent | undefined,
): 'command' | { outcome: Outcome } | undefined {
  const machine = run.commands[0]?.machine;
  const patch = patchOf(event);
  if (!patch) return machine instanceof PatchMachine ? 'command' : undefined;
  if (machine instanceof PatchMachine) {
    const another = machine.patchId !== patch.id && patch.deprecated;
    return another ? { outcome: afterPatchMarker(next) } : undefined;
  }
  if (patch.deprecated) return { outcome: afterPatchMarker(next) };
  throw new NondeterminismError({
    code: machine ? `no longer calls patched('${patch.id}'): it ${machine.describe()}` : `no longer calls patched('${patch.id}')`,
    history: `the marker of patch '${patch.id}'`,
    event,
    issuedAt: machine?.issuedAt,
    advice: PATCH_ADVICE,
  });
}

/** The marker's search attribute goes with it. */
function afterPatchMarker(next: HistoryEvent | undefined): Outcome {
  const fields = next?.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields;
  return fields && VERSION_SEARCH_ATTRIBUTE in fields ? 'skip next' : 'applied';
}
