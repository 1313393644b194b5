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
/** Deadlines that other nodes store are seen at least this often. */
const LOOK_MS = 1_000;

/** Returns how long to sleep until the next deadline. */
export async function fireTimersOnce(engine: Engine, outage: Outage = new Outage()): Promise<number> {
  const left = outage.leftToOthersUpTo(engine.clock.now());
  const due = await dueRuns(engine, left, outage);
  const ids = due.map(({ runId }) => runId);
  const loaded = await engine.runs.loadAll(ids.filter((runId) => !engine.cache.peek(runId)));
  await Promise.all(ids.map((runId) => fireOne(engine, runId, loaded.get(runId))));
  if (due.length === BATCH) return 0;
  const next = await engine.runs.nextDeadline(left);
  const nowMs = engine.clock.now();
  return Math.min(LOOK_MS, outage.leftToOthersForMs(nowMs), next === undefined ? LOOK_MS : Math.max(0, next - nowMs));
}

async function dueRuns(engine: Engine, afterMs: number, outage: Outage): Promise<{ runId: string }[]> {
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

async function fireOne(engine: Engine, runId: string, loaded?: LoadedRun): Promise<void> {
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
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    engine.log.warn({ err: error, runId }, 'a due run could not be moved on; it is tried again');
  }
}
