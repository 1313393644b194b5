/**
 * Approve and Reject: a decision becomes a signal of the run, in one transition. Whatever races, one decision finds the request open;
 * the others are told how it ended.
 */
import type { Verdict } from '../core/approval-records.js';
import { failedPrecondition, invalidArgument, unavailable } from '../core/errors.js';
import { decisionSignal, openApprovals } from '../core/kinds/approval.js';
import { isRunning } from '../core/kinds/run.js';
import { signalRun } from '../core/kinds/signal.js';
import type { Turn } from '../core/turn.js';
import { APPROVAL_STATE, type ApprovalRow } from '../storage/approvals.js';
import type { Namespace } from '../storage/namespaces.js';
import { type ApprovalMessage, approvalMessage, howItEnded, someIds } from './approval-answers.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { belongs, findRunId, noSuchWorkflow } from './find-run.js';
import { type ApprovalName, neverAsked, noSuchApproval, OF_RUN_MAX } from './read-approvals.js';
import { transact } from './transact.js';

export interface DecisionRequest extends ApprovalName {
  decidedBy: string;
  reason: string;
  requestId: string;
}

const DECIDED_BY_MAX = 1_000;
const REASON_MAX = 4_000;

/** Times that a request may be found open by a reader and not open by a writer before the caller is asked to come again. */
const ATTEMPTS_MAX = 5;

export const approve = (engine: Engine, request: DecisionRequest, _call: Call): Promise<{ approval: ApprovalMessage }> =>
  decide(engine, request, 'approved');

export const reject = (engine: Engine, request: DecisionRequest, _call: Call): Promise<{ approval: ApprovalMessage }> =>
  decide(engine, request, 'rejected');

async function decide(engine: Engine, request: DecisionRequest, verdict: Verdict): Promise<{ approval: ApprovalMessage }> {
  const namespace = await engine.registry.require(request.namespace);
  check(request, engine);
  const runId = await findRunId(engine, namespace, request);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const decided = await transact(engine, runId, (turn) => decideInTurn(turn, namespace, request, verdict)).catch((error: unknown) => {
      if (error instanceof NotDecidable) return undefined;
      throw error;
    });
    const row =
      decided === undefined
        ? await decidedBefore(engine, request, verdict, runId)
        : await engine.approvals.find(runId, decided, engine.clock.now());
    if (row) return { approval: approvalMessage(namespace.name, row) };
  }
  throw unavailable('The approval request is too busy; please retry.');
}

function check(request: DecisionRequest, engine: Engine): void {
  const fields: readonly [name: string, value: string, max: number][] = [
    ['decided_by', request.decidedBy, DECIDED_BY_MAX],
    ['reason', request.reason, REASON_MAX],
    ['request_id', request.requestId, engine.limits.idLengthMax],
    ['approval_id', request.approvalId, engine.limits.idLengthMax],
  ];
  if (!request.decidedBy) throw invalidArgument('decided_by is not set on request: it must say who decides.');
  for (const [name, value, max] of fields) {
    if (value.length > max) throw invalidArgument(`${name} has ${value.length} characters, at most ${max} are allowed.`);
    if (value.includes('\0')) throw invalidArgument(`${name} contains a NUL character, which cannot be stored.`);
  }
}

/** No request that this call could decide; the table says why. */
class NotDecidable extends Error {}

/** Returns the id of the request that is decided by this turn. */
function decideInTurn(turn: Turn, namespace: Namespace, request: DecisionRequest, verdict: Verdict): string {
  const { state } = turn;
  if (!belongs(state.info, namespace, request.workflowId)) throw noSuchWorkflow(request.workflowId);
  if (!isRunning(state)) throw new NotDecidable();
  const open = openApprovals(state, turn.nowMs).filter((a) => !request.approvalId || a.approvalId === request.approvalId);
  const [approval] = open;
  if (!approval || open.length > 1) throw new NotDecidable();
  const { approvalId } = approval;
  signalRun(turn, decisionSignal({ approvalId, decision: verdict, by: request.decidedBy, reason: request.reason }, request.requestId));
  return approvalId;
}

/**
 * Why nothing was open to this call: throws that. Returns the request when this same call decided it before, and nothing when it
 * is open after all (somebody opened it a moment ago).
 */
async function decidedBefore(engine: Engine, request: DecisionRequest, verdict: Verdict, runId: string): Promise<ApprovalRow | undefined> {
  const { workflowId, approvalId } = request;
  const name = JSON.stringify(workflowId);
  const nowMs = engine.clock.now();
  const rows = await engine.approvals.ofRun(runId, nowMs, OF_RUN_MAX);
  const same = rows.find(
    (r) =>
      request.requestId &&
      r.requestId === request.requestId &&
      r.state === APPROVAL_STATE[verdict] &&
      (!approvalId || r.approvalId === approvalId),
  );
  if (same) return engine.approvals.find(runId, same.approvalId, nowMs);
  if (approvalId) {
    const row = rows.find((r) => r.approvalId === approvalId) ?? (await engine.approvals.find(runId, approvalId, nowMs));
    if (!row) throw noSuchApproval(workflowId, approvalId);
    if (row.state === APPROVAL_STATE.open) return undefined;
    throw failedPrecondition(`approval request ${JSON.stringify(approvalId)} of workflow ${name} is no longer open: it ${howItEnded(row)}`);
  }
  const open = rows.filter((r) => r.state === APPROVAL_STATE.open);
  if (open.length > 1)
    throw failedPrecondition(`workflow ${name} has ${open.length} open approval requests; approval_id must name one of ${someIds(open)}`);
  if (open.length === 1) return undefined;
  const [last] = rows;
  if (!last) throw neverAsked(workflowId);
  throw failedPrecondition(
    `workflow ${name} has no open approval request: the last one, ${JSON.stringify(last.approvalId)}, ${howItEnded(last)}`,
  );
}
