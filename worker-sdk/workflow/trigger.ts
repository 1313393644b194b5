/** A promise that is resolved from outside. */
import { CancellationScope } from './cancellation-scope.js';

/**
 * A promise with `resolve` and `reject`, tied to the scope it is made in.
 *
 * @example
 * ```ts
 * const confirmed = new Trigger<boolean>();
 * setHandler(confirm, () => confirmed.resolve(true));
 * const ok = await Promise.race([confirmed, sleep('30 days').then(() => false)]);
 * ```
 */
export class Trigger<T> implements PromiseLike<T> {
  /** Fulfils the promise; nothing happens when it is settled already. */
  readonly resolve: (value: T | PromiseLike<T>) => void;
  /** Rejects the promise; nothing happens when it is settled already. A rejection that nobody awaits is no error. */
  readonly reject: (reason?: unknown) => void;
  protected readonly promise: Promise<T>;

  constructor() {
    let resolvePromise!: (value: T | PromiseLike<T>) => void;
    let rejectPromise!: (reason?: unknown) => void;
    this.promise = new Promise<T>((resolve, reject) => {
      const scope = CancellationScope.current();
      if (scope.cancellable) scope.cancelRequested.catch(reject);
      resolvePromise = resolve;
      rejectPromise = reject;
    });
    this.resolve = resolvePromise;
    this.reject = rejectPromise;
    this.promise.catch(() => undefined);
  }

  // biome-ignore lint/suspicious/noThenProperty: a Trigger is a PromiseLike by design.
  then<R1 = T, R2 = never>(
    onfulfilled?: ((value: T) => R1 | PromiseLike<R1>) | undefined | null,
    onrejected?: ((reason: unknown) => R2 | PromiseLike<R2>) | undefined | null,
  ): PromiseLike<R1 | R2> {
    return this.promise.then(onfulfilled, onrejected);
  }
}
