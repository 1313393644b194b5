/** Waiting for a run to change, wherever it is worked on: other nodes are told who waits here, unless this one does the work itself. */
import { isRunning } from '../core/kinds/run.js';
import type { RunState } from '../core/run-state.js';
import type { Engine } from './engine.js';

/** A queue that was polled here so lately will be polled here again. */
const POLLED_LATELY_MS = 60_000;
/** Longer than the wait itself: what is told of a run a moment too often costs little. */
const MARGIN_MS = 2_000;

/** Whether the next workflow task of a run is likely to be done here: only then what is remembered of the run stays true. */
export function isWorkedOnHere(engine: Engine, { info, sticky }: RunState): boolean {
  const queue = sticky?.queue ?? info.taskQueue;
  return engine.queues.sinceLastPoll({ namespaceId: info.namespaceId, kind: 1, queue }) < POLLED_LATELY_MS;
}

/** Tells other nodes that somebody here waits for a run for that long; false when that is not needed, as long as the run is this node's own. */
export function tellOfWait(engine: Engine, runId: string, closeOnly: boolean, waitMs: number): boolean {
  if (!engine.otherNodes() || engine.cache.knows(runId)) return false;
  engine.notify({ kind: 'watch', runId, closeOnly, untilMs: Math.ceil(engine.wall.now() + waitMs + MARGIN_MS) });
  return true;
}

/** Somebody elsewhere waits for a run: is told of every change from now on, and at once what this node knows to have ended. */
export function heardOfWait(engine: Engine, runId: string, closeOnly: boolean, untilMs: number): void {
  engine.interests.note(runId, closeOnly, untilMs);
  const state = engine.cache.peek(runId)?.state;
  if (!state || engine.serial.has(runId)) return; // what is under way tells when it is through
  const progress = { open: isRunning(state), nextEventId: state.nextEventId };
  if (engine.interests.wants(runId, progress)) engine.notify({ kind: 'run', runId, ...progress });
}
