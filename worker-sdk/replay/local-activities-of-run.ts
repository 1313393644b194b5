/** The local activities of one run: started when its code says so, waited for by the task that it works on, told to its machine. */
import type { LocalActivityMachine, LocalActivityOutcome } from './kinds/local-activity.js';
import { type LocalActivityRun, LocalActivityRunner } from './local-activity-runner.js';
import type { RunMachine } from './run-machine.js';
import type { RunLocalActivity } from './workflow-host.js';

type Told = Pick<RunMachine, 'localActivityDone'>;

export class LocalActivitiesOfRun {
  #runner: LocalActivityRunner | undefined;
  /** Wakes the task that waits. */
  #wake: (() => void) | undefined;
  /** What they came to while no task was there to tell the workflow. */
  readonly #ended: { seq: number; outcome: LocalActivityOutcome; runtimeMs: number }[] = [];

  constructor(
    private readonly run: LocalActivityRun,
    private readonly runLocalActivity: RunLocalActivity,
  ) {}

  start(activity: LocalActivityMachine): void {
    this.#runner ??= new LocalActivityRunner(this.run, this.runLocalActivity, (seq, outcome, runtimeMs) => {
      this.#ended.push({ seq, outcome, runtimeMs });
      this.#wake?.();
    });
    this.#runner.start(activity);
  }

  cancel(seq: number): void {
    this.#runner?.cancel(seq);
  }

  abandonAll(): void {
    this.#runner?.abandonAll();
  }

  /** Tells the machine which have ended. */
  tell(machine: Told): void {
    for (const { seq, outcome, runtimeMs } of this.#ended.splice(0)) machine.localActivityDone(seq, outcome, runtimeMs);
  }

  /** Waits for the next one to end, and tells it. False when that takes until `dueMs` of the performance clock. */
  async next(machine: Told, dueMs: number): Promise<boolean> {
    if (this.#ended.length === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, dueMs - performance.now()));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    if (this.#ended.length === 0) return false;
    this.tell(machine);
    return true;
  }
}
