/** Waiting until something in the workflow's state holds. */
import type { Duration } from '../definitions/duration.js';
import { CancellationScope } from './cancellation-scope.js';
import { currentRun } from './current-run.js';
import type { TimerOptions } from './interceptors.js';
import { patched } from './patches.js';
import { tieToScope } from './scope-link.js';
import { sleep } from './timers.js';

/** Under this patch a timeout of 0 is a timeout, and no longer means "none". */
const CONDITION_0_PATCH = '__sdk_internal_patch_number:1';

/**
 * Waits until `fn` returns true. It is called whenever something reached the workflow, so it must be quick and change nothing.
 *
 * @returns with a timeout: whether it held before the time was over
 * @example
 * ```ts
 * const approved = await condition(() => decision !== undefined, '2 days');
 * ```
 */
export function condition(fn: () => boolean, timeout: Duration, options?: TimerOptions): Promise<boolean>;
export function condition(fn: () => boolean): Promise<void>;
export async function condition(fn: () => boolean, timeout?: Duration, options?: TimerOptions): Promise<unknown> {
  currentRun('condition()');
  if (timeout === 0 && !patched(CONDITION_0_PATCH)) return waitFor(fn);
  if (typeof timeout !== 'number' && typeof timeout !== 'string') return waitFor(fn);
  return CancellationScope.cancellable(async () => {
    try {
      return await Promise.race([sleep(timeout, options).then(() => false), waitFor(fn).then(() => true)]);
    } finally {
      CancellationScope.current().cancel();
    }
  });
}

function waitFor(fn: () => boolean): Promise<void> {
  const run = currentRun('condition()');
  return new Promise<void>((resolve, reject) => {
    const scope = CancellationScope.current();
    if (scope.consideredCancelled) {
      scope.cancelRequested.catch(reject);
      return;
    }
    const seq = run.next.condition++;
    tieToScope(reject, (reason) => {
      run.conditions.delete(seq);
      reject(reason);
    });
    if (fn()) resolve();
    else run.conditions.set(seq, { fn, resolve, waitsAt: new Error() });
  });
}
