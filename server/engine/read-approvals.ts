/** ListApprovals and GetApproval. Both read the table, which is as new as the last commit. */
import { invalidArgument, notFound } from '../core/errors.js';
import { APPROVAL_STATE, type ApprovalPlace, type ApprovalRow } from '../storage/approvals.js';
import { type ApprovalMessage, approvalMessage, someIds } from './approval-answers.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { readRun } from './find-run.js';

export interface ListRequest {
  namespace: string;
  states: number[];
  workflowId: string;
  pageSize: number;
  nextPageToken: Uint8Array;
}

/** Which request is meant. */
export interface ApprovalName {
  namespace: string;
  workflowId: string;
  runId: string;
  approvalId: string;
}

const PAGE_DEFAULT = 100;
const PAGE_MAX = 1000;
/** Below the 4 MiB that clients take by default, whatever the last request on the page brings. */
const PAGE_BYTES = 1024 * 1024;
/** Requests of one run that a message or a choice looks at. */
export const OF_RUN_MAX = 100;

const STATES = new Set<number>(Object.values(APPROVAL_STATE));

export async function listApprovals(
  engine: Engine,
  request: ListRequest,
  _call: Call,
): Promise<{ approvals: ApprovalMessage[]; nextPageToken: Uint8Array }> {
  const namespace = await engine.registry.require(request.namespace);
  const { pageSize } = request;
  if (pageSize < 0 || pageSize > PAGE_MAX) throw invalidArgument(`page_size must be from 0 to ${PAGE_MAX}, not ${pageSize}.`);
  const unknown = request.states.find((s) => s !== 0 && !STATES.has(s));
  if (unknown !== undefined) throw invalidArgument(`states: there is no approval state ${unknown}.`);
  const states = request.states.filter((s) => s !== 0);
  const { rows, more } = await engine.approvals.list(
    {
      namespaceId: namespace.id,
      states: states.length > 0 ? states : [APPROVAL_STATE.open],
      workflowId: request.workflowId,
      after: request.nextPageToken.length > 0 ? decodePlace(request.nextPageToken) : undefined,
      limit: pageSize || PAGE_DEFAULT,
      bytesMax: PAGE_BYTES,
    },
    engine.clock.now(),
  );
  return {
    approvals: rows.map((r) => approvalMessage(namespace.name, r)),
    nextPageToken: more ? encodePlace(rows.at(-1)!) : new Uint8Array(),
  };
}

const encodePlace = ({ requestedMs, runId, approvalId }: ApprovalRow): Buffer =>
  Buffer.from(JSON.stringify({ requestedMs, runId, approvalId } satisfies ApprovalPlace));

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function decodePlace(token: Uint8Array): ApprovalPlace {
  try {
    const place = JSON.parse(Buffer.from(token).toString('utf8')) as ApprovalPlace;
    if (
      Number.isSafeInteger(place.requestedMs) &&
      UUID.test(place.runId) &&
      typeof place.approvalId === 'string' &&
      !place.approvalId.includes('\0')
    )
      return place;
  } catch {
    // not one of ours
  }
  throw invalidArgument('Invalid next_page_token.');
}

export async function getApproval(engine: Engine, request: ApprovalName, _call: Call): Promise<{ approval: ApprovalMessage }> {
  const namespace = await engine.registry.require(request.namespace);
  const { state } = await readRun(engine, namespace, request);
  const { runId } = state.info;
  const approvalId = request.approvalId || (await theOnlyOne(engine, request, runId)).approvalId;
  const row = await engine.approvals.find(runId, approvalId, engine.clock.now());
  if (!row) throw noSuchApproval(request.workflowId, approvalId);
  return { approval: approvalMessage(namespace.name, row) };
}

export const noSuchApproval = (workflowId: string, approvalId: string): Error =>
  notFound(`workflow ${JSON.stringify(workflowId)} has no approval request ${JSON.stringify(approvalId)}`);

export const neverAsked = (workflowId: string): Error => notFound(`workflow ${JSON.stringify(workflowId)} has not asked for approval`);

/** The request that is meant by a caller who names none: the open one, or else the only one. */
async function theOnlyOne(engine: Engine, { workflowId }: ApprovalName, runId: string): Promise<ApprovalRow> {
  const rows = await engine.approvals.ofRun(runId, engine.clock.now(), OF_RUN_MAX);
  const open = rows.filter((r) => r.state === APPROVAL_STATE.open);
  const meant = open.length > 0 ? open : rows;
  if (meant.length === 0) throw neverAsked(workflowId);
  if (meant.length > 1) {
    throw invalidArgument(
      `approval_id must say which: workflow ${JSON.stringify(workflowId)} has ${open.length > 0 ? 'several open requests' : 'none open, and had several'}: ${someIds(meant)}`,
    );
  }
  return meant[0]!;
}
