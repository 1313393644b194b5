/**
 * Clears away what runs that ended here have left in the table of open ones: sooner than autovacuum, which looks once a minute, in which a busy server
 * ends fifty thousand. The table stays a few pages that are written again and again, and takes no room once there is nothing to do.
 */
import type { Engine } from '../engine/engine.js';

const LOOK_MS = 1_000;

/** While runs end all the time: after so many, as each time statements are planned anew. */
const BUSY_ENDS = 1_000;
/** Once none has ended since the last look: after so many. */
const QUIET_ENDS = 100;
/** And no more often than when so large a part of the open runs has ended. */
const PART = 0.05;
/** A larger table is left to autovacuum: it takes longer than a statement may. */
const OPEN_MAX = 200_000;

/** Returns how long to sleep. */
export function deadRowSweeper(engine: Pick<Engine, 'committer' | 'runs'>): () => Promise<number> {
  let swept = 0;
  let seen = 0;
  return async () => {
    const { ended } = engine.committer;
    const quiet = ended === seen;
    seen = ended;
    if (ended - swept < (quiet ? QUIET_ENDS : BUSY_ENDS)) return LOOK_MS;
    const open = await engine.runs.openEstimate();
    if (open > OPEN_MAX || ended - swept < open * PART) return LOOK_MS;
    swept = ended;
    await engine.runs.removeDeadRows(quiet);
    return LOOK_MS;
  };
}
