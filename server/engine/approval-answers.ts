/** Requests for approval as callers see them: messages of perdure.v1, and why one cannot be decided. */
import { toTimestamp } from '../core/api.js';
import type { ApprovalRow } from '../storage/approvals.js';

/** A perdure.v1.Approval. */
export interface ApprovalMessage {
  namespace: string;
  workflowId: string;
  runId: string;
  approvalId: string;
  workflowType: string;
  summary: string;
  requestedFrom: string;
  detailsJson: string;
  requestedAt: object;
  expiresAt: object | undefined;
  state: number;
  decidedBy: string;
  reason: string;
  decidedAt: object | undefined;
}

export const approvalMessage = (namespace: string, row: ApprovalRow): ApprovalMessage => ({
  namespace,
  workflowId: row.workflowId,
  runId: row.runId,
  approvalId: row.approvalId,
  workflowType: row.workflowType,
  summary: row.summary,
  requestedFrom: row.requestedFrom,
  detailsJson: row.details,
  requestedAt: toTimestamp(row.requestedMs),
  expiresAt: row.expiresMs === null ? undefined : toTimestamp(row.expiresMs),
  state: row.state,
  decidedBy: row.decidedBy,
  reason: row.reason,
  decidedAt: row.decidedMs === null ? undefined : toTimestamp(row.decidedMs),
});

const STATE_WORDS = ['unknown', 'open', 'approved', 'rejected', 'expired', 'withdrawn'];

/** `was approved by anna at 2026-01-01T00:00:00.000Z: "the customer is right"`. */
export function howItEnded(row: ApprovalRow): string {
  const by = row.decidedBy ? ` by ${row.decidedBy}` : '';
  const at = row.decidedMs === null ? '' : ` at ${new Date(row.decidedMs).toISOString()}`;
  const why = row.reason ? `: ${JSON.stringify(row.reason)}` : '';
  const verb = row.state === 4 ? 'has' : 'was';
  return `${verb} ${STATE_WORDS[row.state] ?? row.state}${by}${at}${why}`;
}

/** Ids for a message, a few of many. */
export const someIds = (rows: readonly ApprovalRow[]): string => {
  const shown = rows.slice(0, 5).map((r) => JSON.stringify(r.approvalId));
  return rows.length > shown.length ? `${shown.join(', ')} and ${rows.length - shown.length} more` : shown.join(', ');
};
