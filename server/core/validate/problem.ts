/**
 * What is wrong with a value, in words, or undefined when nothing is. Rules that requests and commands share return a Problem:
 * a request turns it into INVALID_ARGUMENT, a command into a failed workflow task.
 */
import { invalidArgument } from '../errors.js';

export type Problem = string | undefined;

/** Ends a request with INVALID_ARGUMENT when there is a problem. */
export function refuse(problem: Problem): void {
  if (problem !== undefined) throw invalidArgument(problem);
}
