// Cuts the SDK's own frames out of stack traces, so that a failure shows the user's code.

/** From this frame on everything is the SDK's: where activities, handlers and workflow code are called. */
const CUTOFF = /\s+at .*(?:\brunUserActivity\b|\brunUserWorkflow\b|\brunUserHandler\b|\b(?:Script\.)?runInContext\b)/;
/** Frames of the SDK between the user's, left out where they stand. */
const DROPPED = /\s+at .*\bperdure-sandbox:/;

/** The part of a stack trace that is the user's. */
export function cutoffStackTrace(stack?: string): string {
  const kept: string[] = [];
  for (const line of (stack ?? '').split(/\r?\n/)) {
    if (CUTOFF.test(line)) break;
    if (!DROPPED.test(line)) kept.push(line);
  }
  return kept.join('\n');
}
