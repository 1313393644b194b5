/**
 * Waiting for a human's approval. The request is a marker in the history, from which Perdure's server keeps its list of open approvals; the
 * decision comes as a signal, which any server of the open API can deliver. See docs/decisions/0005-approvals.md.
 */
import { type Duration, msToNumber } from '../definitions/duration.js';
import { isCancellation } from '../payload/failure.js';
import { CancellationScope } from './cancellation-scope.js';
import { currentRun } from './current-run.js';
import { eventGroupMarkers } from './event-groups.js';
import { defineSignal, setHandler } from './handlers.js';
import { APPROVAL_SIGNAL } from './reserved.js';
import type { RunContext } from './run-context.js';
import { sleep } from './timers.js';
import { Trigger } from './trigger.js';

/** The marker that opens an approval request. */
export const APPROVAL_MARKER = 'perdure.approval';
/** The marker that closes a request which nobody decided. */
export const APPROVAL_CLOSED_MARKER = 'perdure.approval.closed';
export { APPROVAL_SIGNAL };

/** What is asked of whom, until when. */
export interface ApprovalRequest {
  /** Names the request within the workflow; by default `approval-1`, `approval-2` … An id can be asked for once. */
  id?: string;
  /** What is to be approved, in a sentence that the approver understands. */
  what: string;
  /** Who is to decide: a name, a role, a group. Shown, not enforced by the workflow. */
  requestedFrom?: string;
  /** Anything the approver should see; converted by the payload converter. */
  details?: unknown;
  /** How long to wait. Default: without end. */
  timeout?: Duration;
  /** Until when to wait, instead of `timeout`. */
  until?: Date;
}

/** How a request ended. */
export interface ApprovalDecision {
  /** The request's `id`, given or made. */
  approvalId: string;
  /** `timed-out` when nobody decided in time. */
  decision: 'approved' | 'rejected' | 'timed-out';
  /** Who decided. */
  by?: string;
  /** What the decider wrote, if anything. */
  reason?: string;
  /** The workflow's clock when it learned of it. */
  decidedAt: Date;
}

/** The payload of the signal {@link APPROVAL_SIGNAL}. */
export interface ApprovalSignal {
  /** The `id` of the request. A decision may come before the request does. */
  approvalId: string;
  /** The first one counts; any other word is passed over. */
  decision: 'approved' | 'rejected';
  /** Who decides. */
  by?: string;
  /** Why, for people. */
  reason?: string;
}

/** Decides an approval request; for clients that do without Perdure's approval service. */
export const approvalDecisionSignal = defineSignal<[ApprovalSignal], typeof APPROVAL_SIGNAL>(APPROVAL_SIGNAL);

interface Approvals {
  /** Requests that wait. */
  open: Map<string, Trigger<ApprovalSignal>>;
  /** Decisions that came before their request. */
  early: Map<string, ApprovalSignal>;
  closed: Set<string>;
}

const SLOT = Symbol('approvals');

function approvalsOf(run: RunContext): Approvals {
  const existing = run.slots.get(SLOT) as Approvals | undefined;
  if (existing) return existing;
  const approvals: Approvals = { open: new Map(), early: new Map(), closed: new Set() };
  run.slots.set(SLOT, approvals);
  setHandler(approvalDecisionSignal, (signal) => decide(approvals, signal), { description: 'Approves or rejects an approval request.' });
  return approvals;
}

/** The first decision counts; later ones, and what is no decision, are passed over. */
function decide({ open, early, closed }: Approvals, signal: ApprovalSignal): void {
  const id = signal?.approvalId;
  const decides = signal?.decision === 'approved' || signal?.decision === 'rejected';
  if (typeof id !== 'string' || !decides || closed.has(id)) return;
  const waiting = open.get(id);
  if (waiting) waiting.resolve(signal);
  else if (!early.has(id)) early.set(id, signal);
}

/**
 * Asks for an approval and waits for the decision. A waiting workflow costs nothing, and several requests can be open at once.
 *
 * @returns the decision; `timed-out` when nobody decided in time
 * @throws CancelledFailure when the scope is cancelled
 * @example
 * ```ts
 * const { decision, by } = await waitForApproval({ what: `Refund ${amount} to ${customer}`, requestedFrom: 'support-leads', timeout: '2 days' });
 * if (decision !== 'approved') return 'no refund';
 * ```
 */
export async function waitForApproval(request: ApprovalRequest): Promise<ApprovalDecision> {
  const run = currentRun('waitForApproval()');
  const approvals = approvalsOf(run);
  const approvalId = request.id ?? `approval-${run.next.approval++}`;
  if (approvals.open.has(approvalId) || approvals.closed.has(approvalId)) {
    throw new TypeError(`Expected the id of an approval to be new in this workflow, got '${approvalId}' again`);
  }
  const timeoutMs = timeoutOf(run, request);
  record(run, APPROVAL_MARKER, 'request', {
    approvalId,
    what: request.what,
    from: request.requestedFrom,
    until: timeoutMs === undefined ? undefined : new Date(run.nowMs + timeoutMs).toISOString(),
    details: request.details,
  });
  try {
    const signal = await decisionWithin(approvals, approvalId, timeoutMs);
    if (!signal) record(run, APPROVAL_CLOSED_MARKER, 'closed', { approvalId, outcome: 'timed-out' });
    return {
      approvalId,
      decision: signal?.decision ?? 'timed-out',
      by: signal?.by,
      reason: signal?.reason,
      decidedAt: new Date(run.nowMs),
    };
  } catch (error) {
    if (isCancellation(error)) record(run, APPROVAL_CLOSED_MARKER, 'closed', { approvalId, outcome: 'cancelled' });
    throw error;
  } finally {
    approvals.open.delete(approvalId);
    approvals.closed.add(approvalId);
  }
}

async function decisionWithin(approvals: Approvals, id: string, timeoutMs: number | undefined): Promise<ApprovalSignal | undefined> {
  const early = approvals.early.get(id);
  approvals.early.delete(id);
  if (early) return early;
  return CancellationScope.cancellable(async () => {
    const decision = new Trigger<ApprovalSignal>();
    approvals.open.set(id, decision);
    try {
      return timeoutMs === undefined ? await decision : await Promise.race([decision, sleep(timeoutMs).then(() => undefined)]);
    } finally {
      // The timer has no reader left.
      CancellationScope.current().cancel();
    }
  });
}

function timeoutOf(run: RunContext, { timeout, until }: ApprovalRequest): number | undefined {
  if (timeout !== undefined && until !== undefined) throw new TypeError('Expected either timeout or until, got both');
  if (timeout !== undefined) return msToNumber(timeout);
  return until === undefined ? undefined : Math.max(1, until.getTime() - run.nowMs);
}

function record(run: RunContext, markerName: string, detail: string, value: unknown): void {
  const payload = run.payloadConverter.toPayload(value, run.context);
  run.push({ recordMarker: { markerName, details: { [detail]: { payloads: [payload] } } }, eventGroupMarkers: eventGroupMarkers() });
}
