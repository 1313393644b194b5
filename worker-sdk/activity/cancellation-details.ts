/** Why an activity was cancelled: whoever cancels says it, the activity can ask for it. */

/**
 * What an {@link ActivityCancellationDetails} is made of, for tests: `notFound`, `cancelRequested`, `paused`, `timedOut`, `workerShutdown`, `reset`.
 * What is left out is false.
 */
export interface ActivityCancellationDetailsOptions {
  notFound?: boolean;
  cancelRequested?: boolean;
  paused?: boolean;
  timedOut?: boolean;
  workerShutdown?: boolean;
  reset?: boolean;
}

/** Why an activity was cancelled; usually one of these is true. */
export class ActivityCancellationDetails {
  /** The server no longer knows the activity: its workflow is closed, or another attempt runs. */
  readonly notFound: boolean;
  /** The workflow asked for it. */
  readonly cancelRequested: boolean;
  /** Somebody paused the activity. */
  readonly paused: boolean;
  /** A timeout of the activity has passed. */
  readonly timedOut: boolean;
  /** The worker is being shut down and its grace time is over. */
  readonly workerShutdown: boolean;
  /** Somebody reset the activity. */
  readonly reset: boolean;

  constructor(options: ActivityCancellationDetailsOptions = {}) {
    this.notFound = options.notFound ?? false;
    this.cancelRequested = options.cancelRequested ?? false;
    this.paused = options.paused ?? false;
    this.timedOut = options.timedOut ?? false;
    this.workerShutdown = options.workerShutdown ?? false;
    this.reset = options.reset ?? false;
  }
}
