/** Durable timers. */
import { type Duration, msToNumber, msToTs } from '../definitions/duration.js';
import { registerSleep } from './cancellation-scope.js';
import { currentRun } from './current-run.js';
import { eventGroupMarkers } from './event-groups.js';
import type { TimerInput, TimerOptions } from './interceptors.js';
import { tieToScope } from './scope-link.js';
import { userMetadata } from './user-metadata.js';

/**
 * Waits, for seconds or for months: the timer is the server's, and a waiting workflow costs nothing.
 *
 * @param ms milliseconds, or text such as `'30 days'`; at least 1 millisecond
 * @example
 * ```ts
 * await sleep('30 days', { summary: 'free trial' });
 * ```
 */
export function sleep(ms: Duration, options?: TimerOptions): Promise<void> {
  const run = currentRun('sleep()');
  const seq = run.next.timer++;
  const durationMs = Math.max(1, msToNumber(ms));
  return run.intercept(run.outbound, 'startTimer', startTimer)({ durationMs, seq, options });
}

function startTimer({ durationMs, seq, options }: TimerInput): Promise<void> {
  const run = currentRun('sleep()');
  return new Promise<void>((resolve, reject) => {
    const cancelled = tieToScope(reject, (reason) => {
      if (!run.timers.delete(seq)) return;
      run.push({ cancelTimer: { seq }, eventGroupMarkers: eventGroupMarkers(options?.eventGroups) });
      reject(reason);
    });
    if (cancelled) return;
    run.push({
      startTimer: { seq, startToFireTimeout: msToTs(durationMs) },
      userMetadata: userMetadata(run.payloadConverter, run.context, options?.summary),
      eventGroupMarkers: eventGroupMarkers(options?.eventGroups),
    });
    run.timers.set(seq, { resolve: resolve as (value: unknown) => void, reject, waitsAt: new Error() });
  });
}

registerSleep(sleep);
