/** Patches: changing the code of workflows that are running. */
import { IllegalStateError } from '../definitions/errors.js';
import { currentRun } from './current-run.js';
import type { RunContext } from './run-context.js';
import { eventGroupMarkers } from './event-groups.js';

/**
 * Whether this run follows the changed code. A run that passed here before the change does not; every other one does, and its history
 * says so from now on.
 *
 * @param patchId names the change; any number of calls with the same id have the same answer
 * @example
 * ```ts
 * if (patched('mail-before-invoice')) await sendMail();
 * await sendInvoice();
 * ```
 */
export function patched(patchId: string): boolean {
  return decide(patchId, false);
}

/** Takes the place of `patched(patchId)` once no run without the change is left; to be removed when no run with its marker is left. */
export function deprecatePatch(patchId: string): void {
  decide(patchId, true);
}

function decide(patchId: string, deprecated: boolean): boolean {
  const run = currentRun(deprecated ? 'deprecatePatch()' : 'patched()');
  if (!run.workflow) throw new IllegalStateError('Patches cannot be used before the workflow starts');
  const decided = run.decidedPatches.get(patchId);
  if (decided !== undefined) return decided;
  // While replaying, a missing marker says "old" for now; once the run is live it may still say "new".
  if (run.facts.unsafe.isReplaying && !run.knownPatches.has(patchId)) return false;
  const follows = deprecated || run.knownPatches.has(patchId) || askedOutside(run, patchId);
  run.decidedPatches.set(patchId, follows);
  if (follows) run.push({ setPatchMarker: { patchId, deprecated }, eventGroupMarkers: eventGroupMarkers() });
  return follows;
}

/** What the worker's callback says about a patch; without one, every run follows. */
function askedOutside(run: RunContext, patchId: string): boolean {
  const { decidePatch } = run.init;
  if (!decidePatch) return true;
  const decision = decidePatch({ workflowInfo: run.info, patchId });
  if (typeof decision !== 'boolean') throw new TypeError(`Expected the patchActivationCallback to return a boolean, got ${typeof decision}`);
  return decision;
}
