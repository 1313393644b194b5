/** How long a call may wait here: less than its caller waits, and never longer than the server's own limit. */
import { requireLongPollTime } from '../core/validate/poll.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';

/** Left over for the answer to reach the caller before its deadline. */
const MARGIN_MS = 500;

export function longPollMs(engine: Engine, call: Call): number {
  return Math.max(0, Math.min(engine.longPollMs, call.deadline - engine.wall.now() - MARGIN_MS));
}

/** The same for polls of task queues, which refuse a deadline that is about to pass. A caller that waits for ever is served like any other. */
export function pollMs(engine: Engine, call: Call): number {
  const nowMs = engine.wall.now();
  if (call.deadline !== Number.POSITIVE_INFINITY) requireLongPollTime(call.deadline, nowMs);
  const leftMs = call.deadline - nowMs;
  return Math.min(engine.longPollMs, leftMs - Math.max(MARGIN_MS, Math.min(1000, leftMs / 10)));
}
