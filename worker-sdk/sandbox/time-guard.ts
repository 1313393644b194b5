/**
 * Cuts off code that does not come to an end. A guard costs more than most of what it guards (see `terminator.ts`), so one spans everything that
 * a task computes in one go, and all tasks that are ready at the same time.
 */
import { executionAsyncId } from 'node:async_hooks';
import { restoreAsyncId } from './async-ids.js';
import { runTerminated } from './terminator.js';

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

let guarding = false;

/** Runs `fn`; throws {@link CutOffError} when it takes longer than the limit. Guards inside of a guard do nothing. */
export function guard<T>(limitMs: number, fn: () => T): T {
  if (guarding || limitMs <= 0) return fn();
  let outcome: { value: T } | { error: unknown } | undefined;
  const asyncId = executionAsyncId();
  const ended = runTerminated(limitMs, () => {
    // Not before and not after: what is queued may be executed around it, and is no part of it.
    guarding = true;
    try {
      outcome = { value: fn() };
    } catch (error) {
      outcome = { error };
    }
    guarding = false;
  });
  if (!ended) {
    guarding = false;
    restoreAsyncId(asyncId);
    throw new CutOffError(limitMs);
  }
  if (outcome && 'error' in outcome) throw outcome.error;
  return (outcome as { value: T }).value;
}

/** Code that waits for the next shared guard. */
interface Waiting {
  fn: () => unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
  limitMs: number;
}

/** A shared guard takes no more on after so long, so that each piece of code has all of its own limit left when it begins. */
const SHARED_MS = 100;

const waiting: Waiting[] = [];

/**
 * {@link guard}, together with all that is ready in the same turn. What takes too long is cut off alone: the others go on under another guard.
 * Within `fn` no promise of the program may be settled or made to be waited for: its reactions would be lost when the next piece of code is cut off.
 */
export function guardTogether<T>(limitMs: number, fn: () => T): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    waiting.push({ fn, resolve: resolve as (value: unknown) => void, reject, limitMs });
    // Ticks come after all microtasks: whatever they made ready is there by then.
    if (waiting.length === 1) process.nextTick(runWaiting);
  });
}

function runWaiting(): void {
  while (waiting.length > 0) {
    const { limitMs } = waiting[0]!;
    const until = performance.now() + SHARED_MS;
    // Told to their owners once the guard is over: what is queued within it may be lost when code is cut off.
    const settlements: (() => void)[] = [];
    let current: Waiting | undefined;
    try {
      guard(limitMs > 0 ? limitMs + SHARED_MS : 0, () => {
        while (waiting[0]?.limitMs === limitMs && performance.now() < until) {
          current = waiting.shift()!;
          settlements.push(run(current));
          current = undefined;
        }
      });
    } catch (error) {
      const cutOff = current ?? waiting.shift();
      settlements.push(() => cutOff?.reject(error));
    }
    for (const settle of settlements) settle();
  }
}

/** Runs the code; answers with what tells its owner. */
function run({ fn, resolve, reject }: Waiting): () => void {
  try {
    const value = fn();
    return () => resolve(value);
  } catch (error) {
    return () => reject(error);
  }
}
