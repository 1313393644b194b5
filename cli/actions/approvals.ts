/** Lists, shows and decides approval requests. */
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { DecisionOptions, ListApprovalsOptions, OneApprovalOptions } from '../commands/approvals.js';
import { pairs, print, printJson, table } from '../output/print.js';
import { fromNow, isoTime } from '../output/time.js';
import type { Approval, ApprovalStateName, Approvals, WhichApproval } from '../rpc/approvals-service.js';
import { withServer } from '../rpc/connection.js';

const stateWord = (approval: Approval): string => approval.state.replace('APPROVAL_STATE_', '').toLowerCase();

export const listApprovals = (options: ListApprovalsOptions): Promise<void> =>
  withServer(options, async (server) => {
    const found = await listUpTo(await server.approvals(), options);
    if (options.output === 'json') return printJson(found.map(asJson));
    if (found.length === 0) return print(`No ${options.state.join(' or ')} approval requests in namespace "${options.namespace}".`);
    print(
      table(
        ['WORKFLOW ID', 'APPROVAL ID', 'STATE', 'REQUESTED', 'EXPIRES', 'FROM', 'WHAT'],
        found.map((a) => [a.workflowId, a.approvalId, stateWord(a), fromNow(a.requestedAt), a.expiresAt === null ? 'never' : fromNow(a.expiresAt), a.requestedFrom || 'anybody', a.summary]),
      ),
    );
  });

const listUpTo = async (approvals: Approvals, options: ListApprovalsOptions): Promise<Approval[]> => {
  const found: Approval[] = [];
  const states = options.state.map((state) => `APPROVAL_STATE_${state.toUpperCase()}` as ApprovalStateName);
  let nextPageToken: Uint8Array = new Uint8Array();
  do {
    const pageSize = Math.min(1000, options.limit - found.length);
    const page = await approvals.list({ namespace: options.namespace, states, workflowId: options.workflowId ?? '', pageSize, nextPageToken });
    found.push(...page.approvals);
    nextPageToken = page.nextPageToken;
  } while (nextPageToken.length > 0 && found.length < options.limit);
  return found.slice(0, options.limit);
};

const which = (workflowId: string, options: OneApprovalOptions): WhichApproval => ({
  namespace: options.namespace, workflowId, runId: options.runId ?? '', approvalId: options.approvalId ?? '',
});

export const showApproval = (workflowId: string, options: OneApprovalOptions): Promise<void> =>
  withServer(options, async (server) => {
    const approval = await (await server.approvals()).get(which(workflowId, options));
    if (options.output === 'json') printJson(asJson(approval));
    else printApproval(approval);
  });

export const decide = (verb: 'approve' | 'reject', workflowId: string, options: DecisionOptions): Promise<void> =>
  withServer(options, async (server) => {
    const approvals = await server.approvals();
    const request = { ...which(workflowId, options), decidedBy: options.by ?? currentUser(), reason: options.reason, requestId: randomUUID() };
    const approval = await approvals[verb](request);
    if (options.output === 'json') printJson(asJson(approval));
    else print(`${stateWord(approval)}: ${approval.summary || approval.approvalId} (workflow ${approval.workflowId}, by ${approval.decidedBy})`);
  });

/** A user without an entry in the password file has no name. */
const currentUser = (): string => {
  try {
    return userInfo().username;
  } catch {
    return process.env['USER'] ?? `uid ${process.getuid?.() ?? 'unknown'}`;
  }
};

const printApproval = (a: Approval): void => {
  print(
    pairs([
      ['Workflow', a.workflowId],
      ['Type', a.workflowType],
      ['Run', a.runId],
      ['Approval', a.approvalId],
      ['What', a.summary],
      ['From', a.requestedFrom || 'anybody'],
      ['State', stateWord(a)],
      ['Requested', isoTime(a.requestedAt)],
      ['Expires', a.expiresAt === null ? 'never' : isoTime(a.expiresAt)],
      ['Decided by', a.decidedBy],
      ['Decided', isoTime(a.decidedAt)],
      ['Reason', a.reason],
    ]),
  );
  if (a.detailsJson !== '') print(`\n${prettyJson(a.detailsJson)}`);
};

const prettyJson = (text: string): string => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
};

const asJson = ({ detailsJson, requestedAt, expiresAt, decidedAt, ...rest }: Approval): object => ({
  ...rest, requestedAt: isoTime(requestedAt), expiresAt: isoTime(expiresAt) || undefined, decidedAt: isoTime(decidedAt) || undefined, details: detailsJson === '' ? undefined : parsed(detailsJson),
});

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};
