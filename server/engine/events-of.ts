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

/** Several events, in the order of their ids; a row that holds more than one of them is read once. */
export async function eventsById(engine: Engine, run: CachedRun, eventIds: readonly number[]): Promise<HistoryEvent[]> {
  const { runId } = run.state.info;
  const events: HistoryEvent[] = [];
  let row: { firstEventId: number; lastEventId: number; events: Map<number, HistoryEvent> } | undefined;
  for (const id of [...eventIds].sort((a, b) => a - b)) {
    if (!row || id > row.lastEventId) {
      const found = run.recent.find((r) => r.firstEventId <= id && id <= r.lastEventId) ?? (await engine.histories.rowOf(runId, id));
      row = found && { ...found, events: new Map(decodeEvents(found.events).map((e) => [toNumber(e.eventId), e])) };
    }
    const event = row?.events.get(id);
    if (!event) throw new Error(`event ${id} of run ${runId} is missing`);
    events.push(event);
  }
  return events;
}
