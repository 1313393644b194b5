/** Which run's code is executing. Code of one run at a time executes in the sandbox, so one variable says it. */
import { IllegalStateError } from '../definitions/errors.js';
import type { RunContext } from './run-context.js';

let current: RunContext | undefined;

export function setCurrentRun(run: RunContext | undefined): void {
  current = run;
}

export function maybeCurrentRun(): RunContext | undefined {
  return current;
}

/** The run that is executing. Throws, naming what was called, when no workflow is. */
export function currentRun(what = 'This function'): RunContext {
  if (!current) throw new IllegalStateError(`${what} may only be used from workflow code`);
  return current;
}
