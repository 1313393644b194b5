/** Which trace context is current in workflow code: follows its promises by the sandbox's AsyncLocalStorage. */
import { type Context, type ContextManager, ROOT_CONTEXT } from '@opentelemetry/api';
import { AsyncLocalStorage } from '../../workflow/async-local-storage.js';

export class WorkflowContextManager implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(context, () => fn.call(thisArg as ThisParameterType<F>, ...args));
  }

  bind<T>(context: Context, target: T): T {
    if (typeof target !== 'function') return target;
    const bound = (...args: unknown[]) => this.#storage.run(context, () => target(...args) as unknown);
    return Object.defineProperty(bound, 'length', { value: target.length, configurable: true }) as T;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    return this;
  }
}
