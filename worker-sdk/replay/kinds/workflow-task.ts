/** The workflow task: its Started event moves the clock and, if it ends a piece of history, begins what runs for the first time. */
import type { HistoryEvent } from '../../definitions/api.js';
import { toNumber } from '../../definitions/api.js';
import { tsToMs } from '../../definitions/duration.js';
import proto from '@temporalio/proto';
import { idOf } from '../events.js';
import type { RunMachine } from '../run-machine.js';
import { seedAsLong } from './run.js';

const { WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW } = proto.temporal.api.enums.v1.WorkflowTaskFailedCause;

/** The last started task, for the completion that names it. */
interface Started {
  eventId: number;
  timeMs: number;
}

export class WorkflowTaskKind {
  #started: Started | undefined;

  constructor(private readonly run: RunMachine) {}

  started(event: HistoryEvent): void {
    const attributes = event.workflowTaskStartedEventAttributes!;
    this.run.taskInfo = {
      historySizeBytes: attributes.historySizeBytes,
      continueAsNewSuggested: attributes.suggestContinueAsNew ?? false,
      suggestContinueAsNewReasons: attributes.suggestContinueAsNewReasons,
      targetWorkerDeploymentVersionChanged: attributes.targetWorkerDeploymentVersionChanged ?? false,
    };
    this.#started = { eventId: idOf(event), timeMs: tsToMs(event.eventTime) };
    if (this.#started.eventId >= this.run.nextStartedEventId) this.#begin(this.#started);
  }

  completed(event: HistoryEvent): void {
    const startedId = toNumber(event.workflowTaskCompletedEventAttributes?.startedEventId);
    if (this.#started?.eventId === startedId) this.#begin(this.#started);
  }

  /** A reset leaves its mark as a failed task that names the new run: randomness begins anew. */
  failed(event: HistoryEvent): void {
    const attributes = event.workflowTaskFailedEventAttributes;
    if (attributes?.cause !== WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW) return;
    this.run.pushJob({ updateRandomSeed: { randomnessSeed: seedAsLong(attributes.newRunId ?? '') } });
  }

  #begin({ eventId, timeMs }: Started): void {
    this.run.currentStartedEventId = eventId;
    this.run.advanceTime(timeMs);
    if (this.run.replaying) return;
    for (const machine of this.run.machines.localActivities.values()) machine.startUnlessMarked();
  }
}
