/** History that a new run takes over from another, in the commit statement: whole rows are copied inside the database. */

export const COPIED_COLUMNS = { item: 'int', run_id: 'uuid', from_run_id: 'uuid', before_event_id: 'bigint' };

export const copiedPart = (from: string): string => `
    copied as (
      insert into history (run_id, first_event_id, last_event_id, batch_starts, events)
      select c.run_id, h.first_event_id, h.last_event_id, h.batch_starts, h.events
      from (select * from ${from}) c
      join history h on h.run_id = c.from_run_id and h.last_event_id < c.before_event_id
      where c.item in (select item from fit)
    )`;
