/** Reading requests for approval. They are written by the commit of their run (commit.ts). */
import type { Database } from './database.js';

/** As in perdure.v1.ApprovalState. */
export const APPROVAL_STATE = { open: 1, approved: 2, rejected: 3, expired: 4, withdrawn: 5 } as const;

export interface ApprovalRow {
  runId: string;
  approvalId: string;
  workflowId: string;
  workflowType: string;
  /** 1 to 5; as it was at the time of reading, so an open one past its time reads as expired. */
  state: number;
  summary: string;
  requestedFrom: string;
  details: string;
  requestedMs: number;
  expiresMs: number | null;
  decidedBy: string;
  reason: string;
  decidedMs: number | null;
  requestId: string;
}

interface Columns extends Record<string, unknown> {
  run_id: string;
  approval_id: string;
  workflow_id: string;
  workflow_type: string;
  state: number;
  summary: string;
  requested_from: string;
  details: string;
  requested_ms: number;
  expires_ms: number | null;
  decided_by: string;
  reason: string;
  decided_ms: number | null;
  request_id: string;
}

const row = (c: Columns, nowMs: number): ApprovalRow => {
  const expired = c.state === APPROVAL_STATE.open && c.expires_ms !== null && c.expires_ms <= nowMs;
  return {
    runId: c.run_id,
    approvalId: c.approval_id,
    workflowId: c.workflow_id,
    workflowType: c.workflow_type,
    state: expired ? APPROVAL_STATE.expired : c.state,
    summary: c.summary,
    requestedFrom: c.requested_from,
    details: c.details,
    requestedMs: c.requested_ms,
    expiresMs: c.expires_ms,
    decidedBy: c.decided_by,
    reason: c.reason,
    decidedMs: expired ? c.expires_ms : c.decided_ms,
    requestId: c.request_id,
  };
};

/** All but the details, which may be large. */
const COLUMNS =
  'run_id, approval_id, workflow_id, workflow_type, state, summary, requested_from, requested_ms, expires_ms, decided_by, reason, decided_ms, request_id';
const NEWEST_FIRST = 'order by requested_ms desc, run_id desc, approval_id desc';

/** Where a page ends: the next one begins after it. */
export interface ApprovalPlace {
  requestedMs: number;
  runId: string;
  approvalId: string;
}

export interface ApprovalQuery {
  namespaceId: string;
  /** 1 to 5; at least one. */
  states: readonly number[];
  /** Empty: of all. */
  workflowId: string;
  after: ApprovalPlace | undefined;
  limit: number;
  /** A page ends early rather than bring more text than this; it has at least one row. */
  bytesMax: number;
}

export interface ApprovalPage {
  rows: ApprovalRow[];
  /** Whether another page follows. */
  more: boolean;
}

/** Conditions of the states, literal so that the index of open requests serves them. $2 is the present time. */
const IN_STATE: Readonly<Record<number, string>> = {
  1: '(state = 1 and (expires_ms is null or expires_ms > $2))',
  2: 'state = 2',
  3: 'state = 3',
  4: '(state = 4 or (state = 1 and expires_ms <= $2))',
  5: 'state = 5',
};

export class Approvals {
  constructor(private readonly database: Database) {}

  async find(runId: string, approvalId: string, nowMs: number): Promise<ApprovalRow | undefined> {
    const rows = await this.database.query<Columns>({
      name: 'approval-find',
      text: `select ${COLUMNS}, details from approvals where run_id = $1 and approval_id = $2`,
      values: [runId, approvalId],
    });
    return rows[0] && row(rows[0], nowMs);
  }

  /** Requests of one run, open ones first, then the newest; without their details. */
  async ofRun(runId: string, nowMs: number, limit: number): Promise<ApprovalRow[]> {
    const rows = await this.database.query<Columns>({
      name: 'approvals-of-run',
      text: `select ${COLUMNS}, '' as details from approvals where run_id = $1
        order by (state = 1) desc, requested_ms desc, approval_id desc limit $2`,
      values: [runId, limit],
    });
    return rows.map((r) => row(r, nowMs));
  }

  /** Newest first. */
  async list(query: ApprovalQuery, nowMs: number): Promise<ApprovalPage> {
    const states = [...new Set(query.states)].sort();
    const { after } = query;
    const rows = await this.database.query<Columns & { found: number }>({
      name: `approvals-list-${states.join('')}`,
      text: `
        with page as materialized (
          select ${COLUMNS}, details from approvals
          where namespace_id = $1 and (${states.map((s) => IN_STATE[s]).join(' or ')})
            and ($3::text = '' or workflow_id = $3)
            and ($4::bigint is null or (requested_ms, run_id, approval_id) < ($4, $5::uuid, $6::text))
            and $2::bigint is not null
          ${NEWEST_FIRST} limit $7
        ), sized as (
          select *, count(*) over () as found,
            sum(octet_length(details) + octet_length(summary) + octet_length(reason) + 500) over (${NEWEST_FIRST}) as bytes_so_far,
            row_number() over (${NEWEST_FIRST}) as place
          from page
        )
        select * from sized where place = 1 or bytes_so_far <= $8 ${NEWEST_FIRST}`,
      values: [
        query.namespaceId,
        nowMs,
        query.workflowId,
        after?.requestedMs ?? null,
        after?.runId ?? null,
        after?.approvalId ?? null,
        query.limit + 1, // one more, to see whether there is one
        query.bytesMax,
      ],
    });
    const page = rows.slice(0, query.limit);
    return { rows: page.map((r) => row(r, nowMs)), more: (rows[0]?.found ?? 0) > page.length };
  }
}
