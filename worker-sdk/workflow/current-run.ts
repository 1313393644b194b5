/** Which run's code is executing. Code of one run at a time executes in the sandbox, so one variable says it. */
import { IllegalStateError } from '../definitions/errors.js';
import type { RunContext } from './run-context.js';

let current: RunContext | undefined;
/** Whether anybody has asked for it. */
let observed = false;

export function setCurrentRun(run: RunContext | undefined): void {
  current = run;
}

/** Whether anybody has asked which run executes since this was called last. */
export function takeObserved(): boolean {
  const was = observed;
  observed = false;
  return was;
}

export function maybeCurrentRun(): RunContext | undefined {
  observed = true;
  return current;
}

/** The run that is executing. Throws, naming what was called, when no workflow is. */
export function currentRun(what = 'This function'): RunContext {
  observed = true;
  if (!current) throw new IllegalStateError(`${what} may only be used from workflow code`);
  return current;
}
