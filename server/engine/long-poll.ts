/** How long a call may wait here: less than its caller waits, and never longer than the server's own limit. */
import { failedPrecondition } from '../core/errors.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';

/** Left over for the answer to reach the caller before its deadline. */
const MARGIN_MS = 500;
/** A poll with less time than this cannot be served. */
const SHORTEST_MS = 2_000;

export function longPollMs(engine: Engine, call: Call): number {
  return Math.max(0, Math.min(engine.longPollMs, call.deadline - engine.clock.now() - MARGIN_MS));
}

/** The same for polls of task queues, which refuse a deadline that is too close. */
export function pollMs(engine: Engine, call: Call): number {
  const left = call.deadline - engine.clock.now();
  if (left < SHORTEST_MS) throw failedPrecondition(`The deadline of ${call.method} is too close: a long poll needs at least ${SHORTEST_MS} ms, ${Math.max(0, Math.round(left))} ms are left.`);
  return Math.min(engine.longPollMs, left - Math.max(MARGIN_MS, Math.min(1000, left / 10)));
}
