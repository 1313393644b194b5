/** Fires what is due: picks runs whose deadline has passed, most overdue first, and lets each do what its time has come for. */
import type { HistoryEvent } from '../core/api.js';
import { fireDue, needsStarted } from '../core/deadline.js';
import { ServiceError } from '../core/errors.js';
import type { Engine } from '../engine/engine.js';
import { startedEventOf } from '../engine/events-of.js';
import { transact } from '../engine/transact.js';
import type { LoadedRun } from '../storage/runs.js';
import { Outage } from './outage.js';

const BATCH = 500;
/** What could not be moved on is tried again. */
const RETRY_MS = 1_000;

/** Returns how long to sleep: until the next deadline that is stored. Those that are stored meanwhile wake the loop; others' are looked for. */
export async function fireTimersOnce(engine: Engine, outage: Outage = new Outage()): Promise<number> {
  const { runIds, nextMs } = await dueRuns(engine, outage.leftToOthersUpTo(engine.clock.now()), outage);
  const loaded = await engine.runs.loadAll(runIds.filter((runId) => !engine.cache.peek(runId)));
  const fired = await Promise.all(runIds.map((runId) => fireOne(engine, runId, loaded.get(runId))));
  if (runIds.length === BATCH) return 0;
  const nowMs = engine.clock.now();
  const retryMs = fired.includes(false) ? RETRY_MS : Number.POSITIVE_INFINITY;
  return Math.min(engine.lookMs(), retryMs, outage.leftToOthersForMs(nowMs), Math.max(0, nextMs - nowMs));
}

async function dueRuns(engine: Engine, afterMs: number, outage: Outage): Promise<{ runIds: string[]; nextMs: number }> {
  try {
    const due = await engine.runs.due(afterMs, engine.clock.now(), BATCH);
    outage.answered(engine.clock.now());
    return due;
  } catch (error) {
    outage.failed();
    throw error;
  }
}

/** Lets runs do what is due of them, without asking the database which they are. */
export async function fireRuns(engine: Engine, runIds: readonly string[]): Promise<void> {
  await Promise.all(runIds.map((runId) => fireOne(engine, runId)));
}

/** False: it is still to be done. */
async function fireOne(engine: Engine, runId: string, loaded?: LoadedRun): Promise<boolean> {
  let started: HistoryEvent | undefined;
  try {
    await transact(
      engine,
      runId,
      (turn) => {
        fireDue(turn, started);
        turn.touched = true; // the stored deadline is moved even when nothing was due
      },
      {
        deadlineFired: true,
        loaded,
        async prepare(run) {
          if (needsStarted(run.state, engine.clock.now(), engine.turnContext().reachableSinceMs)) started ??= await startedEventOf(engine, run);
        },
      },
    );
    return true;
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    engine.log.warn({ err: error, runId }, 'a due run could not be moved on; it is tried again');
    return false;
  }
}
