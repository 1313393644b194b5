/** Errors that a worker's own methods end with. */

class WorkerError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true, writable: true });
  }
}

/** The worker was not able to stop within `shutdownForceTime`. */
export class GracefulShutdownPeriodExpiredError extends WorkerError {}

/** A promise of workflow code was rejected and nobody handles it: most often an `await` is missing. */
export class UnhandledRejectionError extends WorkerError {
  constructor(
    message: string,
    public override cause: unknown,
  ) {
    super(message);
  }
}

/** Both errors of {@link CombinedWorkerRunError}. */
export interface CombinedWorkerRunErrorCause {
  /** What the worker failed with. */
  workerError: unknown;
  /** What the function or promise failed with. */
  innerError: unknown;
}

/** In {@link Worker.runUntil} both the worker and what it was to wait for failed. */
export class CombinedWorkerRunError extends WorkerError {
  public override readonly cause: CombinedWorkerRunErrorCause;

  constructor(message: string, { cause }: { cause: CombinedWorkerRunErrorCause }) {
    super(message);
    this.cause = cause;
  }
}

/** In {@link Worker.runUntil} the worker stopped, and what it was to wait for did not settle in time. */
export class PromiseCompletionTimeoutError extends WorkerError {}
