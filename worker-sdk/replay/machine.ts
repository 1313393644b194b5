/** What every kind of thing that a workflow can ask for looks like to the replay machine. */
import type { HistoryEvent } from '../definitions/api.js';
import { eventName } from './events.js';
import { NondeterminismError } from './nondeterminism.js';
import type { ApiCommand, Job } from './protocol.js';
import type { SdkFlags } from './sdk-flags.js';

/** What a kind may do to the run it belongs to. */
export interface MachineOwner {
  readonly workflowId: string;
  readonly runId: string;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly replaying: boolean;
  readonly flags: SdkFlags;
  /** Queues a job for the next activation. */
  pushJob(job: Job): void;
  /** Queues a command of a machine for the server. */
  issue(machine: Machine, command: ApiCommand): void;
  /** Advances the workflow's clock, never back. */
  advanceTime(timeMs: number): void;
}

export abstract class Machine {
  /** Nothing more can happen: it is forgotten, and a command of it that was not sent yet never is. */
  done = false;
  /** Withdrawn before its command was sent: the command is left out, and history has no event for it. */
  withdrawn = false;
  /** Where the code asked for it; kept only while a mismatch is being explained. */
  issuedAt?: string;
  #home: Map<number | string, Machine> | undefined;
  #key: number | string = 0;

  constructor(protected readonly owner: MachineOwner) {}

  /** Past tense, as part of a sentence: `scheduled activity 'pay' (id 2)`. */
  abstract describe(): string;

  /** Keeps the machine where its owner finds it by the code's name for it. */
  keepIn(home: Map<number | string, Machine>, key: number | string): void {
    home.set(key, this);
    this.#home = home;
    this.#key = key;
  }

  /** Nobody will ask for it any more. */
  forget(): void {
    this.#home?.delete(this.#key);
    this.#home = undefined;
  }

  /** The command is about to be sent to the server, or in replay would have been. */
  commandQueued(_command: ApiCommand): void {}

  /** History has the event of a command of this machine. Throws when it is not the event that the command becomes. */
  abstract commandRecorded(event: HistoryEvent, lastTask: boolean): void;

  /** An event that answers the command's event. */
  answered(event: HistoryEvent): void {
    throw this.mismatch(event);
  }

  /** The error for an event that this machine cannot have caused or cannot take. */
  protected mismatch(event: HistoryEvent, advice?: string): NondeterminismError {
    return new NondeterminismError({
      code: this.describe(),
      history: describeEvent(event),
      event,
      issuedAt: this.issuedAt,
      advice,
    });
  }

  /** {@link mismatch} unless the event is of the type. */
  protected expect(event: HistoryEvent, type: number): void {
    if (event.eventType !== type) throw this.mismatch(event);
  }
}

/** An event with what tells it from others of its type: `ActivityTaskScheduled (activity 'pay', id 2)`. */
export function describeEvent(event: HistoryEvent): string {
  const details = detailsOf(event);
  return details ? `${eventName(event.eventType)} (${details})` : eventName(event.eventType);
}

function detailsOf(event: HistoryEvent): string | undefined {
  const activity = event.activityTaskScheduledEventAttributes;
  if (activity) return `activity '${activity.activityType?.name}', id ${activity.activityId}`;
  const timer = event.timerStartedEventAttributes ?? event.timerCanceledEventAttributes;
  if (timer) return `timer ${timer.timerId}`;
  const child = event.startChildWorkflowExecutionInitiatedEventAttributes;
  if (child) return `workflow '${child.workflowType?.name}', id '${child.workflowId}'`;
  const marker = event.markerRecordedEventAttributes;
  if (marker) return `marker '${marker.markerName}'`;
  const signal = event.signalExternalWorkflowExecutionInitiatedEventAttributes;
  if (signal) return `signal '${signal.signalName}' to workflow '${signal.workflowExecution?.workflowId}'`;
  const cancel = event.requestCancelExternalWorkflowExecutionInitiatedEventAttributes;
  if (cancel) return `of workflow '${cancel.workflowExecution?.workflowId}'`;
  const update = event.workflowExecutionUpdateAcceptedEventAttributes ?? event.workflowExecutionUpdateRejectedEventAttributes;
  if (update) return `update '${update.protocolInstanceId}'`;
  return undefined;
}
