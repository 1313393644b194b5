/**
 * Runs code and terminates it when it takes too long, by one of the two ways that Node has. The `timeout` of `node:vm` starts a thread for each
 * call and waits for it to end: 50 microseconds of CPU, and several times that on a busy machine. The inspector's `timeout` is a delayed task of
 * a thread that is there anyway: 18 microseconds. Where the inspector does not do (another runtime, a context of its own as test runners make
 * them, a debugger that would show each call as a script), `node:vm` does it.
 */
import { createRequire } from 'node:module';
import { Script } from 'node:vm';

/** Calls `fn`, which must not throw. False when it was terminated. */
export type Terminator = (limitMs: number, fn: () => void) => boolean;

const ENTRY = '__perdureGuarded';
const holder = globalThis as unknown as Record<typeof ENTRY, (() => void) | undefined>;
const script = new Script(`globalThis.${ENTRY}()`, { filename: 'perdure-sandbox:guard' });
/** The inspector has to end this, whose own end is far off. */
const PROBE_MS = 200;

let chosen: Terminator | undefined;

/** By the cheapest way that works here. */
export const runTerminated: Terminator = (limitMs, fn) => {
  chosen ??= inspectorTerminator() ?? vmTerminator;
  return chosen(limitMs, fn);
};

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
  try {
    const inspector = createRequire(import.meta.url)('node:inspector') as typeof import('node:inspector');
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
    if (terminates(evaluate)) return (limitMs, fn) => (inspector.url() === undefined ? evaluate : vmTerminator)(limitMs, fn);
    session.disconnect();
  } catch {
    // Built without it, or not permitted.
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
