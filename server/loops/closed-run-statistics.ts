/**
 * Tells PostgreSQL's planner what closed runs look like, at first and whenever there are twice as many: sooner than autovacuum, which looks once a minute.
 * Until then the planner takes a status for rare, and reads and sorts all closed runs for a list of the completed ones.
 */
import type { Engine } from '../engine/engine.js';

const LOOK_MS = 1_000;
/** Fewer are read at once whatever the plan. */
const ENDS_MIN = 500;

/** Returns how long to sleep. */
export function closedRunStatistics(engine: Pick<Engine, 'committer' | 'runs'>): () => Promise<number> {
  let counted = 0;
  return async () => {
    const { ended } = engine.committer;
    if (ended - counted < ENDS_MIN || ended - counted < (await engine.runs.closedEstimate())) return LOOK_MS;
    counted = ended;
    await engine.runs.analyzeClosed();
    return LOOK_MS;
  };
}
