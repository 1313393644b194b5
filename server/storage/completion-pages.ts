/** Answers of workers that come in several calls: their commands, until the last call comes. */
import type { Database } from './database.js';

export class CompletionPages {
  constructor(private readonly database: Database) {}

  /** Keeps a page; one that is there already stays. False when the task's pages would then be larger than `bytesMax`. */
  async keep(runId: string, task: string, page: number, commands: Uint8Array, nowMs: number, bytesMax: number): Promise<boolean> {
    const rows = await this.database.query<{ fits: boolean }>({
      name: 'pages-keep',
      text: `with had as (select coalesce(sum(length(commands)), 0) as bytes, coalesce(bool_or(page = $3), false) as present
          from completion_pages where run_id = $1 and task = $2),
        checked as (select present or bytes + length($4::bytea) <= $6 as fits from had),
        kept as (
          insert into completion_pages (run_id, task, page, commands, created_ms) select $1, $2, $3, $4, $5 from checked where fits
          on conflict do nothing)
        select fits from checked`,
      values: [runId, task, page, Buffer.from(commands), Math.floor(nowMs), bytesMax],
    });
    return rows[0]!.fits;
  }

  /** Pages below a number, in order; where one is missing, so is what follows it. */
  async before(runId: string, task: string, page: number): Promise<Buffer[]> {
    const rows = await this.database.query<{ page: number; commands: Buffer }>({
      name: 'pages-before',
      text: 'select page, commands from completion_pages where run_id = $1 and task = $2 and page < $3 order by page',
      values: [runId, task, page],
    });
    const gap = rows.findIndex((row, i) => row.page !== i);
    return (gap < 0 ? rows : rows.slice(0, gap)).map((row) => row.commands);
  }

  async remove(runId: string, task: string): Promise<void> {
    await this.database.query({
      name: 'pages-remove',
      text: 'delete from completion_pages where run_id = $1 and task = $2',
      values: [runId, task],
    });
  }

  /** Removes what no task waits for any more. */
  async removeOld(beforeMs: number): Promise<void> {
    await this.database.query({
      name: 'pages-remove-old',
      text: 'delete from completion_pages where created_ms < $1',
      values: [Math.floor(beforeMs)],
    });
  }
}
