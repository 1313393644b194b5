/** Requests for approval in the commit statement: rows that open with it, and rows that change. */
import { APPROVAL_STATE } from './approvals.js';
import type { ApprovalWrite } from './commit-item.js';

export const DECIDED_COLUMNS = {
  item: 'int',
  run_id: 'uuid',
  approval_id: 'text',
  state: 'smallint',
  decided_by: 'text',
  reason: 'text',
  decided_ms: 'bigint',
  request_id: 'text',
};

export const ASKED_COLUMNS = {
  ...DECIDED_COLUMNS,
  namespace_id: 'uuid',
  workflow_id: 'text',
  workflow_type: 'text',
  summary: 'text',
  requested_from: 'text',
  details: 'text',
  requested_ms: 'bigint',
  expires_ms: 'bigint',
};

/** Values of those columns, after the item's index. */
export function approvalColumns({ run, approval }: ApprovalWrite): unknown[] {
  const { info } = run;
  const { asked, outcome } = approval;
  const { by, reason, requestId } = outcome ?? { by: '', reason: '', requestId: '' };
  const columns = [info.runId, approval.approvalId, APPROVAL_STATE[outcome?.state ?? 'open'], by, reason, outcome ? Math.floor(outcome.ms) : null, requestId];
  if (!asked) return columns;
  const expiresMs = approval.untilMs ? Math.floor(approval.untilMs) : null;
  return [...columns, info.namespaceId, info.workflowId, info.workflowType, asked.what, asked.from, asked.details, Math.floor(approval.requestedMs), expiresMs];
}

/** A run that uses the id of an old request again has forgotten that one; so does the table. */
export const askedPart = (from: string): string => `
    asked as (
      insert into approvals (run_id, approval_id, state, decided_by, reason, decided_ms, request_id,
        namespace_id, workflow_id, workflow_type, summary, requested_from, details, requested_ms, expires_ms)
      select a.run_id, a.approval_id, a.state, a.decided_by, a.reason, a.decided_ms, a.request_id,
        a.namespace_id, a.workflow_id, a.workflow_type, a.summary, a.requested_from, a.details, a.requested_ms, a.expires_ms
      from (select * from ${from}) a where a.item in (select item from fit)
      on conflict (run_id, approval_id) do update set state = excluded.state, decided_by = excluded.decided_by, reason = excluded.reason,
        decided_ms = excluded.decided_ms, request_id = excluded.request_id, summary = excluded.summary, requested_from = excluded.requested_from,
        details = excluded.details, requested_ms = excluded.requested_ms, expires_ms = excluded.expires_ms
    )`;

export const decidedPart = (from: string): string => `
    decided as (
      update approvals p set state = e.state, decided_by = e.decided_by, reason = e.reason, decided_ms = e.decided_ms, request_id = e.request_id
      from (select * from ${from}) e
      where p.run_id = e.run_id and p.approval_id = e.approval_id and e.item in (select item from fit)
    )`;
