/** Stored tasks of one queue that this node has claimed for its own pollers, in the order in which they are handed out. */
import type { StoredTask } from '../../storage/tasks.js';

interface KeptTask {
  readonly task: StoredTask;
  /** The claim must not be relied on after this. */
  readonly untilMs: number;
}

const before = (a: StoredTask, b: StoredTask): number => a.priority - b.priority || a.place - b.place || a.taskId - b.taskId;

export class KeptTasks {
  private tasks: KeptTask[] = [];

  get size(): number {
    return this.tasks.length;
  }

  add(task: StoredTask, untilMs: number): void {
    let at = this.tasks.length;
    while (at > 0 && before(this.tasks[at - 1]!.task, task) > 0) at--;
    this.tasks.splice(at, 0, { task, untilMs });
  }

  /** Takes out the first for which `admit` gives something. Those whose claim has ended are dropped, and `lapsed` is told. */
  next<Permit>(
    nowMs: number,
    admit: (task: StoredTask) => Permit | undefined,
    lapsed: () => void,
  ): { task: StoredTask; permit: Permit } | undefined {
    for (let at = 0; at < this.tasks.length; ) {
      const { task, untilMs } = this.tasks[at]!;
      if (untilMs <= nowMs) {
        this.tasks.splice(at, 1);
        lapsed();
        continue;
      }
      const permit = admit(task);
      if (permit !== undefined) {
        this.tasks.splice(at, 1);
        return { task, permit };
      }
      at++;
    }
    return undefined;
  }

  drain(): StoredTask[] {
    return this.tasks.splice(0).map((kept) => kept.task);
  }
}
