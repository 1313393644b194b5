/** Running a worker for as long as something else takes. */
import type { Duration } from '../definitions/duration.js';
import { msToNumber } from '../definitions/duration.js';
import { CombinedWorkerRunError, PromiseCompletionTimeoutError } from './errors.js';

export interface RunUntilOptions {
  /** How long to wait for the promise after the worker has stopped or failed. Default 5 seconds. */
  promiseCompletionTimeout?: Duration;
}

/** What {@link runUntil} needs of a worker. */
interface Runnable {
  run(): Promise<void>;
  shutdown(): void;
  readonly isStopping: boolean;
}

/** See {@link Worker.runUntil}. */
export async function runUntil<R>(worker: Runnable, fnOrPromise: Promise<R> | (() => Promise<R>), options: RunUntilOptions): Promise<R> {
  const running = worker.run();
  const inner = typeof fnOrPromise === 'function' ? Promise.resolve().then(fnOrPromise) : fnOrPromise;
  const timeoutMs = msToNumber(options.promiseCompletionTimeout ?? '5 seconds');
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    if (!worker.isStopping) worker.shutdown();
  };
  inner.then(stop, stop);
  const afterWorker = running
    .catch(() => undefined)
    .then(
      () =>
        new Promise<never>((_resolve, reject) => {
          const late = () =>
            reject(new PromiseCompletionTimeoutError(`Promise did not settle within ${timeoutMs} ms after the worker stopped`));
          timer = setTimeout(late, timeoutMs);
        }),
    );
  const [innerResult, workerResult] = await Promise.allSettled([Promise.race([inner, afterWorker]), running]);
  clearTimeout(timer);
  if (workerResult.status === 'rejected') {
    if (innerResult.status === 'fulfilled') throw workerResult.reason;
    throw new CombinedWorkerRunError('Worker terminated with fatal error in `runUntil`', {
      cause: { workerError: workerResult.reason, innerError: innerResult.reason },
    });
  }
  if (innerResult.status === 'rejected') throw innerResult.reason;
  return innerResult.value;
}
