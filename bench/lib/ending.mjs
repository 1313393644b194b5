/** What a benchmark has to put away, however it ends: Ctrl-C and SIGTERM stop what was started and remove what was written, as an end of its own does. */

const cleanUps = [];
let ending = false;

/** True once everything is being put away: what fails now fails because of that. */
export const isEnding = () => ending;

/**
 * Says what is to be done at the end. The last comes first.
 * @returns does it now, once; later calls wait for the same
 */
export function atEnd(cleanUp) {
  let done;
  const once = () => {
    const at = cleanUps.indexOf(once);
    if (at >= 0) cleanUps.splice(at, 1);
    done ??= Promise.resolve().then(cleanUp);
    return done;
  };
  cleanUps.push(once);
  return once;
}

/** The benchmark cannot be run as asked: the text says why, and a stack would say nothing more. */
export class CannotRun extends Error {}

/** Runs a benchmark. What fails while everything is being put away is no news. */
export async function bench(work) {
  try {
    await work();
  } catch (error) {
    if (ending) return new Promise(() => {});
    if (!(error instanceof CannotRun)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

async function endAll(code) {
  if (ending) process.exit(code);
  ending = true;
  process.on('uncaughtException', () => undefined);
  process.on('unhandledRejection', () => undefined);
  console.error('stopping, and removing what was written');
  while (cleanUps.length > 0) {
    try {
      await cleanUps.at(-1)();
    } catch (error) {
      console.error(error);
    }
  }
  process.exit(code);
}

for (const [signal, number] of [['SIGINT', 2], ['SIGTERM', 15], ['SIGHUP', 1]]) process.on(signal, () => void endAll(128 + number));
