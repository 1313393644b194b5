/** Hooks that configure workers. */
import type { ReplayWorkerOptions, WorkerOptions } from './worker-options.js';
import type { Worker } from './worker.js';

/** Changes the options of workers, and wraps their run. */
export interface WorkerPlugin {
  get name(): string;
  configureWorker?(options: WorkerOptions): WorkerOptions | Promise<WorkerOptions>;
  configureReplayWorker?(options: ReplayWorkerOptions): ReplayWorkerOptions | Promise<ReplayWorkerOptions>;
  runWorker?(worker: Worker, next: (worker: Worker) => Promise<void>): Promise<void>;
}
