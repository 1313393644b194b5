/** Cancellation scopes: trees that cancellation runs down, and shields against it. */
import type { Duration } from '../definitions/duration.js';
import { msOptionalToNumber } from '../definitions/duration.js';
import { CancelledFailure } from '../payload/failure.js';
import { AsyncLocalStorage } from './async-local-storage.js';
import { currentRun } from './current-run.js';
import { SdkFlags } from './sdk-flags.js';

/** Marks the root scope, which has no parent. */
const NO_PARENT = Symbol('perdure.noParent');

const ignore = (): undefined => undefined;

/** Options of a {@link CancellationScope}. */
export interface CancellationScopeOptions {
  /** The scope cancels itself after this. */
  timeout?: Duration;
  /** False shields what is inside from cancellation from outside. */
  cancellable: boolean;
  /** Default: the current scope. */
  parent?: CancellationScope | typeof NO_PARENT;
}

/**
 * A scope of work that can be cancelled as a whole: timers, activities, children, conditions and inner scopes that were begun in it.
 *
 * @example
 * ```ts
 * try {
 *   await book();
 * } catch (error) {
 *   if (isCancellation(error)) await CancellationScope.nonCancellable(() => undoBooking());
 *   throw error;
 * }
 * ```
 */
export class CancellationScope {
  /** Milliseconds after which the scope cancels itself. */
  protected readonly timeout?: number;
  /** Whether cancellation from outside reaches what is inside. */
  readonly cancellable: boolean;
  /** The scope it was made in; undefined for the outermost one of a workflow. */
  readonly parent?: CancellationScope;
  /** Rejects when the scope, or one around it, is asked to cancel. */
  readonly cancelRequested: Promise<never>;
  protected readonly reject: (reason?: unknown) => void;
  #cancelRequested = false;

  constructor(options?: CancellationScopeOptions) {
    this.timeout = msOptionalToNumber(options?.timeout);
    this.cancellable = options?.cancellable ?? true;
    let rejectRequest!: (reason?: unknown) => void;
    this.cancelRequested = new Promise<never>((_resolve, reject) => {
      rejectRequest = reject;
    });
    this.reject = (reason) => {
      this.#cancelRequested = true;
      rejectRequest(reason);
    };
    this.cancelRequested.catch(ignore);
    if (options?.parent === NO_PARENT) return;
    this.parent = options?.parent ?? CancellationScope.current();
    this.#followParent(this.parent);
  }

  #followParent(parent: CancellationScope): void {
    const shielded = () => currentRun('CancellationScope').hasFlag(SdkFlags.NonCancellableScopesAreShieldedFromPropagation);
    if (parent.cancellable || (parent.#cancelRequested && !shielded())) {
      this.#cancelRequested = parent.#cancelRequested;
      parent.cancelRequested.catch((error) => this.reject(error));
      return;
    }
    parent.cancelRequested.catch((error) => {
      if (!shielded()) this.reject(error);
    });
  }

  /** Whether the scope is cancelled. Never for a non-cancellable one. */
  get consideredCancelled(): boolean {
    return this.#cancelRequested && this.cancellable;
  }

  /** Runs `fn` in this scope. */
  run<T>(fn: () => Promise<T>): Promise<T> {
    return storage.run(this, () => this.runInContext(fn));
  }

  /** Runs `fn` once the scope is the current one. */
  protected async runInContext<T>(fn: () => Promise<T>): Promise<T> {
    let timer: CancellationScope | undefined;
    if (this.timeout) {
      timer = new CancellationScope();
      const timeout = this.timeout;
      timer.run(() => sleepOfScopes(timeout)).then(() => this.cancel(), ignore);
    }
    try {
      return await fn();
    } finally {
      const cancelsTimer = timer && !timer.consideredCancelled;
      if (cancelsTimer && currentRun('CancellationScope').hasFlag(SdkFlags.NonCancellableScopesAreShieldedFromPropagation)) timer?.cancel();
    }
  }

  /** Asks the scope, and all in it, to cancel. */
  cancel(): void {
    this.reject(new CancelledFailure('Cancellation scope cancelled'));
  }

  /** The scope that the calling code runs in. */
  static current(): CancellationScope {
    return storage.getStore() ?? currentRun('CancellationScope.current()').rootScope;
  }

  /** Runs `fn` in a new scope that can be cancelled. */
  static cancellable<T>(fn: () => Promise<T>): Promise<T> {
    return new CancellationScope({ cancellable: true }).run(fn);
  }

  /** Runs `fn` shielded from cancellation. */
  static nonCancellable<T>(fn: () => Promise<T>): Promise<T> {
    return new CancellationScope({ cancellable: false }).run(fn);
  }

  /** Runs `fn` in a new scope that cancels itself after the timeout. */
  static withTimeout<T>(timeout: Duration, fn: () => Promise<T>): Promise<T> {
    return new CancellationScope({ cancellable: true, timeout }).run(fn);
  }
}

const storage = new AsyncLocalStorage<CancellationScope>();

/** The scope of the whole workflow; cancelled when the workflow is. */
export class RootCancellationScope extends CancellationScope {
  constructor() {
    super({ cancellable: true, parent: NO_PARENT });
  }

  override cancel(): void {
    this.reject(new CancelledFailure('Workflow cancelled'));
  }
}

/** Timers need scopes and scopes need timers: the timers register themselves here. */
let sleepOfScopes: (ms: number) => Promise<void> = () => Promise.reject(new Error('The workflow package is not loaded'));
export function registerSleep(sleep: typeof sleepOfScopes): void {
  sleepOfScopes = sleep;
}
