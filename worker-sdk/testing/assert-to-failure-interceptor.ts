/** A workflow interceptor for tests: an assertion that fails in a workflow fails the workflow, instead of its task, which would be tried again and again. */
import { ApplicationFailure } from '../payload/failure.js';
import type { WorkflowInterceptors } from '../workflow/interceptors.js';

/** Hooks for `interceptors.workflowModules`; reached as `workflowInterceptorModules` of `@perdure/sdk/testing`. */
export function interceptors(): WorkflowInterceptors {
  return {
    inbound: [
      {
        execute: (input, next) => next(input).catch(fail),
        handleSignal: (input, next) => next(input).catch(fail),
        handleUpdate: (input, next) => next(input).catch(fail),
      },
    ],
  };
}

/** Assertions of Node, chai, vitest and jest have names that end so. */
function fail(error: unknown): never {
  if (!(error instanceof Error) || !/Assertion/.test(error.name)) throw error;
  const failure = ApplicationFailure.nonRetryable(error.message, error.name);
  failure.stack = error.stack;
  throw failure;
}
