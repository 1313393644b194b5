/** The cancellation of one activity, in the three forms in which it may be watched. Most activities never look: nothing is made before. */
import type { CancelledFailure } from '../payload/failure.js';
import { ActivityCancellationDetails, type ActivityCancellationDetailsOptions } from './cancellation-details.js';

export class Cancellation {
  /** Why; undefined while the activity is not cancelled. */
  details: ActivityCancellationDetails | undefined;
  private failure: CancelledFailure | undefined;
  private controller: AbortController | undefined;
  private rejection: Promise<never> | undefined;

  /** Cancels; only the first time counts. */
  cancel(failure: CancelledFailure, details: ActivityCancellationDetailsOptions): void {
    if (this.failure) return;
    this.failure = failure;
    this.details = new ActivityCancellationDetails(details);
    this.controller?.abort(failure);
  }

  /** Aborts when the activity is cancelled, with the failure as its reason. */
  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.failure) this.controller.abort(this.failure);
    }
    return this.controller.signal;
  }

  /** Rejects when the activity is cancelled; never resolves. */
  get promise(): Promise<never> {
    if (!this.rejection) {
      const { signal } = this;
      this.rejection = new Promise<never>((_resolve, reject) => {
        if (signal.aborted) reject(signal.reason);
        else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
      // Whoever only looks at it must not be told by an unhandled rejection.
      this.rejection.catch(() => undefined);
    }
    return this.rejection;
  }
}
