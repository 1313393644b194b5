/** Single events of a run's history: from the rows that this node remembers, else from the database. */
import { type HistoryEvent, toNumber } from '../core/api.js';
import type { Engine } from './engine.js';
import { decodeEvents } from './raw-history.js';
import type { CachedRun } from './run-cache.js';

/** An event by its id; for example the one that scheduled an activity, where its input and header are kept. */
export async function eventOf(engine: Engine, run: CachedRun, eventId: number): Promise<HistoryEvent> {
  const cached = run.recent.find((r) => r.firstEventId <= eventId && eventId <= r.lastEventId);
  const row = cached ?? (await engine.histories.rowOf(run.state.info.runId, eventId));
  const event = row && decodeEvents(row.events).find((e) => toNumber(e.eventId) === eventId);
  if (!event) throw new Error(`event ${eventId} of run ${run.state.info.runId} is missing`);
  return event;
}

/** The run's first event: what it started with. */
export const startedEventOf = (engine: Engine, run: CachedRun): Promise<HistoryEvent> => eventOf(engine, run, 1);
