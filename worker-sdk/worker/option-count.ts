/** Options that are counts, checked. */
import type { WorkerOptions } from './worker-options.js';

type CountOption = {
  [K in keyof WorkerOptions]-?: NonNullable<WorkerOptions[K]> extends number ? K : never;
}[keyof WorkerOptions];

/** @throws TypeError when it is not an integer of at least `minimum`. */
export function count(options: WorkerOptions, name: CountOption, fallback: number, minimum = 1): number {
  const value = options[name] ?? fallback;
  if (!Number.isInteger(value) || value < minimum)
    throw new TypeError(`Invalid '${name}': expected an integer of at least ${minimum}, got ${value}`);
  return value;
}
