/** The context that an activity runs in, found through the chain of its calls. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Client } from '../client/client.js';
import type { Duration } from '../definitions/duration.js';
import { msToNumber } from '../definitions/duration.js';
import { IllegalStateError } from '../definitions/errors.js';
import type { Logger } from '../definitions/logger.js';
import type { MetricMeter } from '../definitions/metrics.js';
import type { Cancellation } from './cancellation.js';
import type { ActivityCancellationDetails } from './cancellation-details.js';
import type { Info } from './info.js';

const CONTEXTS = Symbol.for('perdure.activity-contexts');

/** Where the context of an activity lies. Run a function within `asyncLocalStorage.run(context, fn)` to lend it one. */
export const asyncLocalStorage: AsyncLocalStorage<Context> = onePerProcess();

/** A process may hold this module twice, as an ES module and as CommonJS: activities of either kind find the context of their worker. */
function onePerProcess(): AsyncLocalStorage<Context> {
  const shared = globalThis as { [CONTEXTS]?: AsyncLocalStorage<Context> };
  shared[CONTEXTS] ??= new AsyncLocalStorage<Context>();
  return shared[CONTEXTS];
}

/** The running activity's view of its worker. */
export class Context {
  /**
   * The context of the activity that calls.
   * @throws {@link IllegalStateError} outside of an activity.
   */
  static current(): Context {
    const context = asyncLocalStorage.getStore();
    if (!context) throw new IllegalStateError('Activity context not found: this must be called from within an activity');
    return context;
  }

  /**
   * Sends a heartbeat: the activity is alive, and this is how far it is. Returns at once; heartbeats within a fraction of
   * the heartbeat timeout are held back, the last one wins. The answer is how an activity learns of its cancellation.
   * @param details Given to the next attempt as `heartbeatDetails`.
   */
  readonly heartbeat: (details?: unknown) => void;

  /** @internal Made by the worker; for tests see MockActivityEnvironment. */
  constructor(
    /** What the activity knows of itself. */
    public readonly info: Info,
    private readonly cancellation: Cancellation,
    heartbeat: (details?: unknown) => void,
    private readonly lentClient: Client | undefined,
    /** Logs with the activity's attributes. */
    public log: Logger,
    /** Metrics with the activity's tags. */
    public readonly metricMeter: MetricMeter,
  ) {
    this.heartbeat = heartbeat;
  }

  /**
   * A client for the worker's namespace.
   * @throws {@link IllegalStateError} in a test environment that has none.
   */
  get client(): Client {
    if (!this.lentClient) throw new IllegalStateError('No client in this activity environment');
    return this.lentClient;
  }

  /** Rejects with a CancelledFailure when the activity is cancelled; never resolves. */
  get cancelled(): Promise<never> {
    return this.cancellation.promise;
  }

  /** Aborts when the activity is cancelled: hand it to fetch, child processes and the like. */
  get cancellationSignal(): AbortSignal {
    return this.cancellation.signal;
  }

  /** Why the activity was cancelled; undefined while it is not. */
  get cancellationDetails(): ActivityCancellationDetails | undefined {
    return this.cancellation.details;
  }

  /** Waits; rejects with a CancelledFailure when the activity is cancelled first. */
  readonly sleep = (ms: Duration): Promise<void> =>
    new Promise((resolve, reject) => {
      const signal = this.cancellationSignal;
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      }, msToNumber(ms));
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
}
