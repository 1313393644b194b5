/**
 * Eager activities: an activity that a workflow task schedules on this worker's own queue may come back in the answer of
 * that task, already started. Each needs a slot that is kept for it from before the answer is sent.
 */
import type { temporal } from '../definitions/api.js';
import type { ActivityTask } from './activity-tasks.js';
import type { ActivitySlotInfo, Slot, Slots } from './slots.js';

type Command = temporal.api.command.v1.ICommand;

export interface EagerActivitiesOptions {
  slots: Slots<ActivitySlotInfo>;
  /** Slots kept for one workflow task at most. */
  maxPerTask: number;
  /** Whether the worker has this activity. */
  has(activityType: string): boolean;
  /** False once the worker stops. */
  takesMore(): boolean;
  take(task: ActivityTask, slot: Slot<ActivitySlotInfo>): void;
}

/** Slots kept for the activities of one answer. */
export interface EagerReservation {
  /** Executes what came. */
  run(tasks: readonly ActivityTask[]): void;
  /** Gives back what is left. */
  release(): void;
}

/** Keeps slots for eager activities. */
export class EagerActivities {
  constructor(private readonly options: EagerActivitiesOptions) {}

  /** Keeps a slot for each command that asks for eager execution, and takes the wish from those that get none. */
  reserve(commands: readonly Command[]): EagerReservation | undefined {
    const { slots, maxPerTask, has, takesMore, take } = this.options;
    const kept: Slot<ActivitySlotInfo>[] = [];
    for (const command of commands) {
      const attributes = command.scheduleActivityTaskCommandAttributes;
      if (!attributes?.requestEagerExecution) continue;
      const wanted = kept.length < maxPerTask && takesMore() && has(attributes.activityType?.name ?? '');
      const slot = wanted ? slots.tryReserve(false) : undefined;
      if (slot) kept.push(slot);
      else attributes.requestEagerExecution = false;
    }
    if (kept.length === 0) return undefined;
    return {
      run: (tasks) => {
        // A server that sends more than was asked for would overfill the worker: such a task times out and comes again.
        for (const task of tasks) {
          const slot = kept.pop();
          if (slot) take(task, slot);
        }
      },
      release: () => {
        for (const slot of kept.splice(0)) slot.release();
      },
    };
  }
}
