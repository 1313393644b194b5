/**
 * Runs code and terminates it when it takes too long, by one of three ways. The `timeout` of `node:vm` starts a thread for each call and waits
 * for it to end: 50 microseconds of CPU, and several times that on a busy machine. The inspector's `timeout` is a delayed task of a thread that
 * is there anyway: 18 microseconds in a loop, 110 for a call by itself, which finds nothing of it in the processor's caches. A thread of our own
 * that looks now and then (`watchdog.ts`) costs 3, and 10 by itself. Where that does not do (few calls, short limits, the main thread alone has
 * it), the inspector does it; and `node:vm` where the inspector does not (another runtime, a context of its own as test runners make them, a
 * debugger that would show each call as a script and stop for longer than the limit).
 */
import { createRequire } from 'node:module';
import { Script } from 'node:vm';
import { Watchdog } from './watchdog.js';

/** Calls `fn`, which must not throw. False when it was terminated. */
export type Terminator = (limitMs: number, fn: () => void) => boolean;

const ENTRY = '__perdureGuarded';
const holder = globalThis as unknown as Record<typeof ENTRY, (() => void) | undefined>;
const script = new Script(`globalThis.${ENTRY}()`, { filename: 'perdure-sandbox:guard' });
/** The inspector has to end this, whose own end is far off. */
const PROBE_MS = 200;

/** The watchdog is late by its pauses, which matters little here. */
const WATCHED_MS = 1_000;

/** The thread of this process. */
export const watchdog: Watchdog = new Watchdog();
let chosen: Terminator | undefined;

/** By the cheapest way that works here. */
export const runTerminated: Terminator = (limitMs, fn) => {
  const ended = limitMs >= WATCHED_MS && !isDebugged() ? watchdog.run(limitMs, fn) : undefined;
  if (ended !== undefined) return ended;
  chosen ??= inspectorTerminator() ?? vmTerminator;
  return chosen(limitMs, fn);
};

let inspectorUrl: (() => string | undefined) | undefined;

/** Whether a debugger may be attached. */
function isDebugged(): boolean {
  inspectorUrl ??= inspectorModule()?.url ?? (() => undefined);
  return inspectorUrl() !== undefined;
}

/** Undefined where Node was built without it, or is another runtime. */
function inspectorModule(): typeof import('node:inspector') | undefined {
  try {
    return createRequire(import.meta.url)('node:inspector') as typeof import('node:inspector');
  } catch {
    return undefined;
  }
}

export const vmTerminator: Terminator = (limitMs, fn) => {
  holder[ENTRY] = fn;
  try {
    script.runInThisContext({ timeout: limitMs, displayErrors: false });
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    return false;
  } finally {
    holder[ENTRY] = undefined;
  }
};

/** Undefined where the inspector is missing or does not do what is needed. */
export function inspectorTerminator(): Terminator | undefined {
  const inspector = inspectorModule();
  if (!inspector) return undefined;
  try {
    const session = new inspector.Session();
    session.connect();
    const evaluate: Terminator = (timeout, fn) => {
      let began = false;
      let failed: Error | null | undefined;
      holder[ENTRY] = () => {
        began = true;
        fn();
      };
      session.post('Runtime.evaluate', { expression: `void ${ENTRY}()`, timeout, silent: true }, (error) => {
        failed = error;
      });
      // Somebody closed the inspector.
      if (!began) return vmTerminator(timeout, fn);
      holder[ENTRY] = undefined;
      return failed === null;
    };
    if (terminates(evaluate)) return (limitMs, fn) => (isDebugged() ? vmTerminator : evaluate)(limitMs, fn);
    session.disconnect();
  } catch {
    // Not permitted.
  }
  return undefined;
}

/** Whether code is ended in time. */
function terminates(terminator: Terminator): boolean {
  let ended = false;
  const endedBySelf = terminator(1, () => {
    for (const until = performance.now() + PROBE_MS; performance.now() < until; );
    ended = true;
  });
  return !ended && !endedBySelf;
}
