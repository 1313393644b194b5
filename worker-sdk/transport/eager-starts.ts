/**
 * Where clients and workers of one connection meet: a client that starts a workflow may ask the server to answer with
 * its first task, if a worker of the same process has a slot for it.
 */
import type { temporal } from '../definitions/api.js';

/** A slot kept free for the first task of a workflow that is being started. One of the two must be called. */
export interface EagerSlot {
  /** Executes the task that came with the start. */
  run(task: temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse): void;
  /** Gives the slot back: the server sent no task. */
  release(): void;
}

/** A worker that takes tasks from starts. */
export interface EagerStartWorker {
  readonly namespace: string;
  readonly taskQueue: string;
  /** A free slot, or undefined when there is none. */
  reserve(): EagerSlot | undefined;
}

/** The running workers of a connection. */
export class EagerStarts {
  private readonly workers = new Set<EagerStartWorker>();

  /** Adds a worker; the answer removes it. */
  register(worker: EagerStartWorker): () => void {
    this.workers.add(worker);
    return () => this.workers.delete(worker);
  }

  /** A slot of any worker on that queue. */
  reserve(namespace: string, taskQueue: string): EagerSlot | undefined {
    for (const worker of this.workers) {
      if (worker.namespace !== namespace || worker.taskQueue !== taskQueue) continue;
      const slot = worker.reserve();
      if (slot) return slot;
    }
    return undefined;
  }
}
