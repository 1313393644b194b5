/** Reading event histories: rows of raw bytes, whole or by pages. */
import type { Database } from './database.js';

export interface HistoryRow {
  firstEventId: number;
  lastEventId: number;
  /** Ids of further batches inside the row. */
  batchStarts: number[];
  /** A serialized History. */
  events: Buffer;
}

interface Columns extends Record<string, unknown> {
  first_event_id: number;
  last_event_id: number;
  batch_starts: number[] | null;
  events: Buffer;
}

const row = (c: Columns): HistoryRow => ({ firstEventId: c.first_event_id, lastEventId: c.last_event_id, batchStarts: c.batch_starts ?? [], events: c.events });

/** Batches that a row rarely has more of: where a page begins inside a row, so many may lie before it. */
const BATCHES_A_ROW = 16;

export class Histories {
  constructor(private readonly database: Database) {}

  /** Rows that hold events from `fromEventId` on and below `beforeEventId`, at most `limit` of them. */
  async read(runId: string, fromEventId: number, beforeEventId: number, limit: number): Promise<HistoryRow[]> {
    const rows = await this.database.query<Columns>({
      name: 'history-read',
      text: `select first_event_id, last_event_id, batch_starts, events from history
        where run_id = $1 and first_event_id < $3
          and first_event_id >= coalesce((select max(first_event_id) from history where run_id = $1 and first_event_id <= $2), $2)
        order by first_event_id limit $4`,
      values: [runId, fromEventId, beforeEventId, limit],
    });
    return rows.map(row);
  }

  /**
   * The same for a page of so many batches or bytes, whichever are fewer: what is beyond stays in the database. The row in which the page ends is
   * there as a whole, and at least one row.
   */
  async readPage(runId: string, fromEventId: number, beforeEventId: number, { batches, bytes }: { batches: number; bytes: number }): Promise<HistoryRow[]> {
    const rows = await this.database.query<Columns>({
      name: 'history-read-page',
      text: `select first_event_id, last_event_id, batch_starts, events from (
          select first_event_id, last_event_id, batch_starts, events,
            sum(1 + coalesce(cardinality(batch_starts), 0)) over (order by first_event_id rows between unbounded preceding and 1 preceding) as batches_before,
            sum(octet_length(events)) over (order by first_event_id rows between unbounded preceding and 1 preceding) as bytes_before
          from history
          where run_id = $1 and first_event_id < $3
            and first_event_id >= coalesce((select max(first_event_id) from history where run_id = $1 and first_event_id <= $2), $2)
          order by first_event_id limit $4) h
        -- the page may begin behind some batches of its first row
        where batches_before is null or (batches_before < $4 + $6 and bytes_before < $5)
        order by first_event_id`,
      values: [runId, fromEventId, beforeEventId, batches, bytes, fromEventId === 1 ? 0 : BATCHES_A_ROW],
    });
    return rows.map(row);
  }

  /** A page backwards: rows that hold events up to `toEventId`, last first, at least one and no more than so many rows or bytes. */
  async readPageBackwards(runId: string, toEventId: number, { rows: limit, bytes }: { rows: number; bytes: number }): Promise<HistoryRow[]> {
    const rows = await this.database.query<Columns>({
      name: 'history-read-page-backwards',
      text: `select first_event_id, last_event_id, batch_starts, events from (
          select first_event_id, last_event_id, batch_starts, events, sum(octet_length(events)) over (order by first_event_id desc) as bytes_with
          from history where run_id = $1 and first_event_id <= $2 order by first_event_id desc limit $3) h
        where bytes_with <= $4 or bytes_with = octet_length(events)
        order by first_event_id desc`,
      values: [runId, toEventId, limit, bytes],
    });
    return rows.map(row);
  }

  /** The row that holds one event. */
  async rowOf(runId: string, eventId: number): Promise<HistoryRow | undefined> {
    const rows = await this.database.query<Columns>({
      name: 'history-row-of',
      text: 'select first_event_id, last_event_id, batch_starts, events from history where run_id = $1 and first_event_id <= $2 order by first_event_id desc limit 1',
      values: [runId, eventId],
    });
    return rows[0] && row(rows[0]);
  }

  newestRow(runId: string): Promise<HistoryRow | undefined> {
    return this.rowOf(runId, Number.MAX_SAFE_INTEGER);
  }
}
