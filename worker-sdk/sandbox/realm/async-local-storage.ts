/** AsyncLocalStorage over the host's, whose class workflow code must not hold. */
import type { HostStorage } from './host.js';
import { define, state } from './state.js';
import { rename } from './text.js';

// biome-ignore lint/suspicious/noExplicitAny: functions of every signature pass through.
type AnyFunction = (...args: any[]) => any;

class WorkflowAsyncLocalStorage<T> {
  readonly #storage: HostStorage = state.host.newStorage();

  run<R>(store: T, fn: (...args: unknown[]) => R, ...args: unknown[]): R {
    return this.#storage.run(store, args.length === 0 ? fn : () => fn(...args)) as R;
  }

  exit<R>(fn: (...args: unknown[]) => R, ...args: unknown[]): R {
    return this.#storage.run(undefined, () => fn(...args)) as R;
  }

  getStore(): T | undefined {
    return this.#storage.getStore() as T | undefined;
  }

  enterWith(store: T): void {
    this.#storage.enterWith(store);
  }

  disable(): void {
    this.#storage.disable();
  }

  static bind<F extends AnyFunction>(fn: F): F {
    let call: () => unknown = () => undefined;
    const bound = state.host.bindContext(() => call());
    return ((...args) => {
      call = () => fn(...args);
      return bound();
    }) as F;
  }

  static snapshot(): <R>(fn: (...args: unknown[]) => R, ...args: unknown[]) => R {
    const run = WorkflowAsyncLocalStorage.bind((fn: AnyFunction, ...args: unknown[]) => fn(...args));
    return run;
  }
}

export function installAsyncLocalStorage(): void {
  define('AsyncLocalStorage', rename(WorkflowAsyncLocalStorage, 'AsyncLocalStorage'));
}
