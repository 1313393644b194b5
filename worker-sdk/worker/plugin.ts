/** Hooks that configure workers. */
import type { ReplayWorkerOptions, WorkerOptions } from './worker-options.js';
import type { Worker } from './worker.js';

/** Changes the options of workers, and wraps their run. */
export interface WorkerPlugin {
  /** Shown in the server's list of workers. */
  get name(): string;
  /** Changes the options of a worker. */
  configureWorker?(options: WorkerOptions): WorkerOptions | Promise<WorkerOptions>;
  /** Changes the options of a replay. */
  configureReplayWorker?(options: ReplayWorkerOptions): ReplayWorkerOptions | Promise<ReplayWorkerOptions>;
  /** Runs a worker, around what runs it. */
  runWorker?(worker: Worker, next: (worker: Worker) => Promise<void>): Promise<void>;
}
