/**
 * Cuts off code that does not come to an end. Node can do that only by a thread that it starts for each guarded call (some 60 microseconds), so
 * one guard spans everything that a task computes in one go.
 */
import { executionAsyncId } from 'node:async_hooks';
import { Script } from 'node:vm';
import { restoreAsyncId } from './async-ids.js';

/** Thrown when guarded code took longer than it may. */
export class CutOffError extends Error {
  constructor(readonly limitMs: number) {
    super(
      `Workflow code did not pause for ${limitMs} ms and was cut off. A loop that never awaits, or a long computation, blocks all other ` +
        `workflows of the worker: put the computation into an activity, or await in the loop what it is waiting for (condition(), sleep()).`,
    );
  }
}
Object.defineProperty(CutOffError.prototype, 'name', { value: 'CutOffError', configurable: true, writable: true });

const ENTRY = '__perdureGuarded';
const script = new Script(`globalThis.${ENTRY}()`, { filename: 'perdure-sandbox:guard' });
const holder = globalThis as unknown as Record<typeof ENTRY, (() => void) | undefined>;

let guarding = false;

/** Runs `fn`; throws {@link CutOffError} when it takes longer than the limit. Guards inside of a guard do nothing. */
export function guard<T>(limitMs: number, fn: () => T): T {
  if (guarding || limitMs <= 0) return fn();
  let outcome: { value: T } | { error: unknown } | undefined;
  const asyncId = executionAsyncId();
  guarding = true;
  holder[ENTRY] = () => {
    try {
      outcome = { value: fn() };
    } catch (error) {
      outcome = { error };
    }
  };
  try {
    script.runInThisContext({ timeout: limitMs, displayErrors: false });
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    restoreAsyncId(asyncId);
    throw new CutOffError(limitMs);
  } finally {
    guarding = false;
    holder[ENTRY] = undefined;
  }
  if (outcome && 'error' in outcome) throw outcome.error;
  return (outcome as { value: T }).value;
}
