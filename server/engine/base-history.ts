/** Reading a run's whole history in order, in portions that fit into memory: for resets, which fold one part of it and look through the rest. */
import { type HistoryEvent, toNumber } from '../core/api.js';
import type { HistoryRow } from '../storage/history.js';
import type { Engine } from './engine.js';
import { decodeEvents } from './raw-history.js';

const ROWS = 200;

/** The rows with events from `fromEventId` on and below `beforeEventId`; the first and the last may reach beyond. */
export async function* rowsOf(engine: Engine, runId: string, fromEventId: number, beforeEventId: number): AsyncGenerator<HistoryRow> {
  let next = fromEventId;
  while (next < beforeEventId) {
    const rows = await engine.histories.read(runId, next, beforeEventId, ROWS);
    if (rows.length === 0) throw new Error(`event ${next} of run ${runId} is missing`);
    yield* rows;
    next = rows.at(-1)!.lastEventId + 1;
  }
}

/** The events in that range, row by row. */
export async function* eventsOf(engine: Engine, runId: string, fromEventId: number, beforeEventId: number): AsyncGenerator<HistoryEvent[]> {
  for await (const row of rowsOf(engine, runId, fromEventId, beforeEventId)) {
    const events = decodeEvents(row.events);
    const inside = row.firstEventId >= fromEventId && row.lastEventId < beforeEventId;
    yield inside ? events : events.filter((e) => toNumber(e.eventId) >= fromEventId && toNumber(e.eventId) < beforeEventId);
  }
}
