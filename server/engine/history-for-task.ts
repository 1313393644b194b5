/** The history that a worker gets with its task, read while the commit that starts the task is under way. */
import type { HistoryRow } from '../storage/history.js';
import type { Engine } from './engine.js';
import type { CachedRun } from './run-cache.js';

/** More rows than this are not read ahead. */
const ROWS_MAX = 100;

export interface PastRows {
  fromEventId: number;
  beforeEventId: number;
  /** Undefined: none were read, or not all that there are. */
  rows: HistoryRow[] | undefined;
}

/** Never fails: what was not read ahead is read when the answer is made. */
export async function rowsForTask(engine: Engine, run: CachedRun): Promise<PastRows> {
  const { state } = run;
  const fromEventId = state.workflowTask?.sticky ? state.previousStartedEventId + 1 : 1;
  const beforeEventId = Math.min(run.recentFrom, state.nextEventId);
  if (fromEventId >= beforeEventId) return { fromEventId, beforeEventId, rows: undefined };
  try {
    const rows = await engine.histories.read(state.info.runId, fromEventId, beforeEventId, ROWS_MAX);
    return { fromEventId, beforeEventId, rows: rows.at(-1)?.lastEventId === beforeEventId - 1 ? rows : undefined };
  } catch (error) {
    engine.log.debug({ err: error }, 'history was not read ahead');
    return { fromEventId, beforeEventId, rows: undefined };
  }
}

/** Puts the rows before those that the run remembers. */
export function addPast(run: CachedRun, { fromEventId, beforeEventId, rows }: PastRows): void {
  if (!rows || run.recentFrom !== beforeEventId) return;
  run.recent.unshift(...rows);
  run.recentFrom = fromEventId;
}
