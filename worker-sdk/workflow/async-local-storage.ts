/** AsyncLocalStorage of the sandbox: follows the asynchronous code of one run and is gone with it. */
import type { AsyncLocalStorage as NodeAsyncLocalStorage } from 'node:async_hooks';
import { IllegalStateError } from '../definitions/errors.js';

type Constructor = new <T>() => NodeAsyncLocalStorage<T>;

class OutsideOfWorkflow {
  run(): never {
    throw new IllegalStateError(
      'AsyncLocalStorage of the workflow package may only be used from workflow code: outside, import it from node:async_hooks',
    );
  }

  getStore(): undefined {
    return undefined;
  }
}

/** Like the class of `node:async_hooks`, for workflow code. */
export const AsyncLocalStorage: Constructor =
  (globalThis as { AsyncLocalStorage?: Constructor }).AsyncLocalStorage ?? (OutsideOfWorkflow as unknown as Constructor);
