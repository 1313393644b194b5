/** Waiting on a condition, for what no signal announces. */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Polls until the check gives something truthy, and returns that.
 * @throws when `limitMs` pass without it, naming `what` and the last error
 */
export const until = async <T>(what: string, check: () => T | Promise<T>, limitMs = 15_000): Promise<NonNullable<T>> => {
  const deadline = Date.now() + limitMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value) return value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`Waited ${limitMs} ms for ${what}.`, { cause: last });
    await sleep(10);
  }
};
