/** Reading runs: their state for a transition, the newest of a workflow id, what is due. */
import type { RunState } from '../core/run-state.js';
import type { Database } from './database.js';
import { newestClosed, newestRuns } from './runs-of-workflow.js';
import { decodeState, STATE_COLUMNS, type StateColumns } from './snapshot-codec.js';

export interface LoadedRun {
  state: RunState;
  version: number;
  /** The column as stored: no later than the real deadline; null = none. */
  deadlineMs: number | null;
}

const STATE = `version, deadline_ms, ${STATE_COLUMNS}`;

/** The same of a table named `r`, beside others. */
export const RUN_COLUMNS = STATE.split(', ')
  .map((column) => `r.${column}`)
  .join(', ');

export interface RunRow extends StateColumns, Record<string, unknown> {
  version: number;
  deadline_ms: number | null;
}

export const loadedRun = (row: RunRow): LoadedRun => ({ state: decodeState(row), version: row.version, deadlineMs: row.deadline_ms });

export interface RunName {
  runId: string;
  status: number;
}

/** The newest run of a workflow id. */
export interface NewestRun extends RunName {
  /** When it ended; 0 = it is open. */
  closeMs: number;
  /** When the run before it ended; 0 = there was none. */
  earlierCloseMs: number;
}

export class Runs {
  constructor(private readonly database: Database) {}

  async load(runId: string): Promise<LoadedRun | undefined> {
    const rows = await this.database.query<RunRow>({
      name: 'run-load',
      text: `select ${STATE} from runs where run_id = $1`,
      values: [runId],
    });
    return rows[0] && loadedRun(rows[0]);
  }

  /** The open run of a workflow id, or else its newest, in one question. */
  async loadCurrent(namespaceId: string, workflowId: string): Promise<LoadedRun | undefined> {
    const rows = await this.database.query<RunRow>({
      name: 'run-load-current',
      text: newestRuns((row) => STATE.replaceAll(/\w+/g, `${row}.$&`), '$1', '$2'),
      values: [namespaceId, workflowId],
    });
    return rows[0] && loadedRun(rows[0]);
  }

  /** Several runs in one question; those that are not there are left out. */
  async loadAll(runIds: readonly string[]): Promise<Map<string, LoadedRun>> {
    if (runIds.length === 0) return new Map();
    const rows = await this.database.query<RunRow & { loaded_id: string }>({
      name: 'runs-load',
      text: `select ${STATE}, run_id::text as loaded_id from runs where run_id = any($1::uuid[])`,
      values: [runIds],
    });
    return new Map(rows.map((row) => [row.loaded_id, loadedRun(row)]));
  }

  /** Ids of all open runs, oldest first. */
  async open(): Promise<string[]> {
    const rows = await this.database.query<{ run_id: string }>({ text: 'select run_id from runs_open order by run_id' });
    return rows.map((row) => row.run_id);
  }

  /** The open run of a workflow id, or else its newest. */
  async current(namespaceId: string, workflowId: string): Promise<NewestRun | undefined> {
    const [newest, before] = await this.database.query<{ run_id: string; status: number; close_ms: number | null }>({
      name: 'run-current',
      text: `select * from (${newestRuns((row) => `${row}.run_id, ${row}.status, ${row}.close_ms`, '$1', '$2', '2')}) r`,
      values: [namespaceId, workflowId],
    });
    return newest && { runId: newest.run_id, status: newest.status, closeMs: newest.close_ms ?? 0, earlierCloseMs: before?.close_ms ?? 0 };
  }

  /** The same for several workflow ids; those that nobody ever used are left out. */
  async currents(namespaceId: string, workflowIds: readonly string[]): Promise<Map<string, RunName>> {
    const rows = await this.database.query<{ workflow_id: string; run_id: string; status: number }>({
      name: 'runs-current',
      text: `select w.workflow_id, r.run_id, r.status from unnest($2::text[]) as w(workflow_id)
        cross join lateral (${newestRuns((row) => `${row}.run_id, ${row}.status`, '$1', 'w.workflow_id')}) r`,
      values: [namespaceId, workflowIds],
    });
    return new Map(rows.map((r) => [r.workflow_id, { runId: r.run_id, status: r.status }]));
  }

  /** Whether a run has taken a request id. */
  async hasTaken(runId: string, requestId: string): Promise<boolean> {
    const rows = await this.database.query({
      name: 'run-has-taken',
      text: 'select 1 from run_requests where run_id = $1 and request_id = $2',
      values: [runId, requestId],
    });
    return rows.length > 0;
  }

  /** The newest of the last few runs of a workflow id that has ended since and has taken a request id. */
  async taker(namespaceId: string, workflowId: string, requestId: string, sinceMs: number, limit: number): Promise<string | undefined> {
    const rows = await this.database.query<{ run_id: string }>({
      name: 'run-taker',
      text: `with latest as (
          ${newestClosed('c.run_id, c.close_ms', '$1', '$2', { limit: '$5' })})
        select l.run_id from latest l join run_requests q on q.run_id = l.run_id and q.request_id = $3
        where l.close_ms > $4 order by l.run_id desc limit 1`,
      values: [namespaceId, workflowId, requestId, Math.floor(sinceMs), limit],
    });
    return rows[0]?.run_id;
  }

  /** Runs of a workflow id before a given one that have ended since, the newest first. */
  async endedBefore(namespaceId: string, workflowId: string, runId: string, sinceMs: number, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ run_id: string }>({
      name: 'runs-ended-before',
      text: `with earlier as (
          ${newestClosed('c.run_id, c.close_ms', '$1', '$2', { limit: '$5', where: ' and c.run_id < $3' })})
        select run_id from earlier where close_ms > $4 order by run_id desc`,
      values: [namespaceId, workflowId, runId, Math.floor(sinceMs), limit],
    });
    return rows.map((row) => row.run_id);
  }

  /** Runs whose deadline has passed and is later than a moment, most overdue first; and the first deadline that has not passed, in the same question. */
  async due(afterMs: number, nowMs: number, limit: number): Promise<{ runIds: string[]; nextMs: number }> {
    const rows = await this.database.query<{ run_id: string | null; deadline_ms: number | null }>({
      name: 'runs-due',
      text: `(select run_id, deadline_ms from runs_open where deadline_ms <= $1 and deadline_ms > $3 order by deadline_ms limit $2)
        union all select null, min(deadline_ms) from runs_open where deadline_ms > $1`,
      values: [nowMs, limit, afterMs],
    });
    const next = rows.find((row) => row.run_id === null)?.deadline_ms;
    return { runIds: rows.flatMap((row) => row.run_id ?? []), nextMs: next ?? Number.POSITIVE_INFINITY };
  }

  /** How many runs were open when the database last looked. */
  openEstimate(): Promise<number> {
    return this.estimate('runs_open');
  }

  /** How many were closed when the database last looked; 0 before it ever has. */
  closedEstimate(): Promise<number> {
    return this.estimate('runs_closed');
  }

  private async estimate(table: 'runs_open' | 'runs_closed'): Promise<number> {
    const rows = await this.database.query<{ runs: number }>({
      name: 'runs-estimate',
      text: 'select greatest(reltuples, 0)::int8 as runs from pg_class where oid = $1::regclass',
      values: [table],
    });
    return rows[0]!.runs;
  }

  /** Takes a sample of closed runs for the planner, unless somebody else is at it. */
  async analyzeClosed(): Promise<void> {
    await this.database.query({ text: 'analyze (skip_locked) runs_closed' });
  }

  /** Frees the room of open runs that ended; to the system as well where nobody is held up by it. Not when somebody else is at it. */
  async removeDeadRows(truncate: boolean): Promise<void> {
    await this.database.query({ text: `vacuum (skip_locked, parallel 0, truncate ${truncate}) runs_open` });
  }
}
