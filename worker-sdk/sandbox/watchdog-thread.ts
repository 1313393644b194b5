/** What the watchdog's thread executes, as text: it has to load in every way in which the SDK is bundled. And the numbers that both sides share. */

/** 1 once the thread runs. */
export const READY = 0;
/** Number of the code that is guarded now, 0 for none; negative while it is being terminated. */
export const ACTIVE = 1;
/** How long that may take. */
export const LIMIT_MS = 2;
/** Number of what was begun last. */
export const BEGUN = 3;
/** Number of what the inspector has reported as terminated. */
export const ANSWERED = 4;
/** 1 while the thread sleeps and has to be woken. */
export const ASLEEP = 5;
export const CELLS = 6;

/** A look that is so late says that the whole process stood still: time counts from anew. */
const STOOD_STILL_MS = 1_000;

export const THREAD_SOURCE = `
const { workerData: { cells, lookMs } } = require('node:worker_threads');
const { Session } = require('node:inspector');
let active = 0, sinceMs = 0, begun = 0, dueMs = performance.now();

function terminate(id) {
  // A session that is open would keep the process from ending.
  const session = new Session();
  session.connectToMainThread();
  session.post('Runtime.terminateExecution', () => {
    Atomics.store(cells, ${ANSWERED}, id);
    session.disconnect();
  });
}

/** What is guarded now; answers with when to look again. */
function watch(id, nowMs) {
  if (id !== active || nowMs - dueMs > ${STOOD_STILL_MS}) {
    active = id;
    sinceMs = nowMs;
  }
  const leftMs = sinceMs + Atomics.load(cells, ${LIMIT_MS}) - nowMs;
  if (leftMs > 0) return Math.min(lookMs, Math.ceil(leftMs));
  if (Atomics.compareExchange(cells, ${ACTIVE}, id, -id) === id) terminate(id);
  return lookMs;
}

function sleepUntilBegun() {
  Atomics.store(cells, ${ASLEEP}, 1);
  if (Atomics.load(cells, ${BEGUN}) === begun) Atomics.wait(cells, ${ASLEEP}, 1);
  Atomics.store(cells, ${ASLEEP}, 0);
}

function look() {
  const id = Atomics.load(cells, ${ACTIVE});
  let pauseMs = lookMs;
  if (id > 0) pauseMs = watch(id, performance.now());
  else if (id === 0) {
    if (Atomics.load(cells, ${BEGUN}) === begun) {
      sleepUntilBegun();
      pauseMs = 0;
    }
    begun = Atomics.load(cells, ${BEGUN});
  }
  dueMs = performance.now() + pauseMs;
  setTimeout(look, pauseMs);
}

Atomics.store(cells, ${READY}, 1);
look();
`;
