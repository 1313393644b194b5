/** Approvals through gRPC: asked by a run, listed with the commit, decided once, on whichever node and in whichever way. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Decision } from '../../cli/rpc/approvals-service.js';
import { useDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';
import { asks, COMPLETES, CONTINUES, call, givesUp, type Node, Run, startNode } from './approvals-kit.js';

const database = useDatabase();
let one: Node;
let two: Node;

beforeAll(async () => {
  one = await startNode(database.url);
  two = await startNode(database.url);
});
afterAll(() => Promise.all([one.stop(), two.stop()]));

const which = (run: Run, approvalId = '') => ({ namespace: 'default', workflowId: run.workflowId, runId: '', approvalId });
const by = (run: Run, decidedBy: string, more: Partial<Decision> = {}): Decision => ({
  ...which(run),
  decidedBy,
  reason: 'because',
  requestId: '',
  ...more,
});
const get = async (node: Node, run: Run, approvalId = '') => (await node.connection.approvals()).get(which(run, approvalId));
const approve = async (node: Node, request: Decision) => (await node.connection.approvals()).approve(request);
const reject = async (node: Node, request: Decision) => (await node.connection.approvals()).reject(request);
const list = async (node: Node, more: object = {}) =>
  (await node.connection.approvals()).list({
    namespace: 'default',
    states: [],
    workflowId: '',
    pageSize: 0,
    nextPageToken: new Uint8Array(),
    ...more,
  });

const asking = async (...ids: string[]): Promise<Run> => {
  const run = await Run.start(one);
  await run.task(one, ...ids.map((id) => asks(id)));
  return run;
};

describe('a request', () => {
  it('is listed on every node as soon as the worker has its answer', async () => {
    const run = await Run.start(one);
    const untilMs = Date.now() + 3_600_000;
    await run.task(one, asks('a', { what: 'refund 120 EUR', until: new Date(untilMs).toISOString() }));
    const { approvals } = await list(two, { workflowId: run.workflowId });
    expect(approvals).toMatchObject([
      {
        namespace: 'default',
        workflowId: run.workflowId,
        runId: run.runId,
        approvalId: 'a',
        workflowType: 'refund',
        summary: 'refund 120 EUR',
        requestedFrom: 'finance',
        detailsJson: '{"order":7}',
        state: 'APPROVAL_STATE_OPEN',
        expiresAt: { seconds: String(Math.floor(untilMs / 1000)) },
        decidedBy: '',
        decidedAt: null,
      },
    ]);
    expect(await get(two, run)).toEqual(approvals[0]);
  });

  it('expires at its time, though its run has not taken note yet, and can no longer be decided by call', async () => {
    const run = await Run.start(one);
    await run.task(one, asks('a', { until: new Date(Date.now() + 150).toISOString() }));
    const expired = await until('the request to expire', async () => {
      const approval = await get(two, run);
      return approval.state === 'APPROVAL_STATE_EXPIRED' ? approval : undefined;
    });
    expect(expired.decidedAt).toEqual(expired.expiresAt);
    expect((await list(two, { workflowId: run.workflowId })).approvals).toEqual([]);
    expect((await list(two, { workflowId: run.workflowId, states: ['APPROVAL_STATE_EXPIRED'] })).approvals).toHaveLength(1);
    await expect(approve(two, by(run, 'anna'))).rejects.toThrow(/no open approval request: the last one, "a", has expired at /);
    await expect(approve(two, by(run, 'anna', { approvalId: 'a' }))).rejects.toThrow(
      /approval request "a" .* is no longer open: it has expired at /,
    );
    expect(await run.decisions(one)).toEqual([]);
  });

  it('is withdrawn by the end of its run, however that comes', async () => {
    const completed = await asking('a');
    await call(one, 'SignalWorkflowExecution', { workflowExecution: { workflowId: completed.workflowId }, signalName: 'wake' });
    await completed.task(one, COMPLETES);
    const terminated = await asking('a');
    await call(two, 'TerminateWorkflowExecution', { workflowExecution: { workflowId: terminated.workflowId } });
    const continued = await asking('a');
    await call(one, 'SignalWorkflowExecution', { workflowExecution: { workflowId: continued.workflowId }, signalName: 'wake' });
    await continued.task(one, CONTINUES);
    const timedOut = await Run.start(one, undefined, { workflowRunTimeout: { seconds: 1 } });
    await timedOut.task(one, asks('a'));
    for (const run of [completed, terminated, continued, timedOut]) {
      const withdrawn = await until(
        `${run.workflowId} to be over`,
        async () => (await list(two, { workflowId: run.workflowId, states: ['APPROVAL_STATE_WITHDRAWN'] })).approvals[0],
      );
      expect(withdrawn).toMatchObject({ runId: run.runId, decidedBy: '' });
      expect(withdrawn.decidedAt).not.toBeNull();
      await expect(approve(one, by(run, 'anna', { runId: run.runId, approvalId: 'a' }))).rejects.toThrow(
        /is no longer open: it was withdrawn at /,
      );
    }
  });

  it('that is malformed fails the workflow task, and the worker is told why', async () => {
    const run = await Run.start(one);
    await expect(run.task(one, asks(''))).rejects.toThrow(
      'INVALID_ARGUMENT: BadRecordMarkerAttributes: Marker perdure.approval: approvalId must be a text that is not empty, not "".',
    );
    expect(await run.eventTypes(one)).toContain('WORKFLOW_TASK_FAILED');
  });
});

describe('a decision', () => {
  it('reaches the run as a signal in the same commit, and the history shows who and why', async () => {
    const run = await asking('a');
    const approval = await approve(two, by(run, 'anna', { reason: 'the customer is right' }));
    expect(approval).toMatchObject({
      state: 'APPROVAL_STATE_APPROVED',
      decidedBy: 'anna',
      reason: 'the customer is right',
      summary: 'approve a',
    });
    expect(await run.decisions(one)).toEqual([{ approvalId: 'a', decision: 'approved', by: 'anna', reason: 'the customer is right' }]);
    expect((await run.eventTypes(one)).slice(-2)).toEqual(['WORKFLOW_EXECUTION_SIGNALED', 'WORKFLOW_TASK_SCHEDULED']);
    await run.task(one, COMPLETES);
    expect(await get(one, run)).toEqual(approval);
  });

  it('is taken once, whatever races: one of many on two nodes, and the others learn whose', async () => {
    const run = await asking('a');
    const racers = Array.from({ length: 24 }, (_, i) => (i % 3 === 0 ? reject : approve)(i % 2 ? one : two, by(run, `person-${i}`)));
    const signals = [
      run.signal(one, { approvalId: 'a', decision: 'approved', by: 'a-signal' }),
      run.signal(two, { approvalId: 'a', decision: 'rejected', by: 'another-signal' }),
    ];
    const results = await Promise.allSettled(racers);
    await Promise.all(signals);
    const { decidedBy, state } = await get(one, run);
    const won = results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []));
    for (const winner of won) expect(winner).toMatchObject({ decidedBy, state });
    expect(won.length).toBe(decidedBy.endsWith('-signal') ? 0 : 1);
    const lost = results.flatMap((r) => (r.status === 'rejected' ? [String(r.reason)] : []));
    for (const text of lost) expect(text).toMatch(new RegExp(`"a", was (approved|rejected) by ${decidedBy} at `));
    const [first] = await run.decisions(two);
    expect(first).toMatchObject({ by: decidedBy, decision: state.replace('APPROVAL_STATE_', '').toLowerCase() });
  });

  it('by a plain signal counts as well, and the sender is named when it names nobody', async () => {
    const run = await asking('a', 'b');
    await run.signal(two, { approvalId: 'b', decision: 'rejected' });
    expect(await get(one, run, 'b')).toMatchObject({ state: 'APPROVAL_STATE_REJECTED', decidedBy: 'grpcurl' });
    await run.signal(two, { approvalId: 'a', decision: 'approved', by: 'anna', reason: 'fine' });
    expect(await get(one, run, 'a')).toMatchObject({ state: 'APPROVAL_STATE_APPROVED', decidedBy: 'anna', reason: 'fine' });
    await expect(reject(one, by(run, 'bert', { approvalId: 'a' }))).rejects.toThrow(
      /is no longer open: it was approved by anna at .*: "fine"/,
    );
  });

  it('that came while a task runs is not overruled by that task', async () => {
    const run = await asking('a');
    await call(one, 'SignalWorkflowExecution', { workflowExecution: { workflowId: run.workflowId }, signalName: 'wake' });
    const task = await run.takeTask(one);
    expect(await approve(two, by(run, 'anna'))).toMatchObject({ state: 'APPROVAL_STATE_APPROVED' });
    await expect(run.answer(one, task, givesUp('a', 'timed-out'), COMPLETES)).rejects.toThrow('UnhandledCommand');
    expect(await run.decisions(one)).toHaveLength(1);
    await run.task(one, COMPLETES);
    expect(await get(two, run)).toMatchObject({ state: 'APPROVAL_STATE_APPROVED', decidedBy: 'anna' });
  });

  it('repeated with its request id gives the same answer, after a crash in between too', async () => {
    const third = await startNode(database.url);
    const run = await asking('a');
    const request = by(run, 'anna', { requestId: randomUUID() });
    const lost = approve(third, request).catch(() => undefined); // its answer may never arrive
    await third.stop();
    await lost;
    const answer = await approve(one, request);
    expect(answer).toMatchObject({ state: 'APPROVAL_STATE_APPROVED', decidedBy: 'anna' });
    expect(await approve(two, request)).toEqual(answer);
    expect(await run.decisions(two)).toHaveLength(1);
    await run.task(one, COMPLETES);
    expect(await approve(two, request)).toEqual(answer);
    await expect(reject(two, request)).rejects.toThrow('was approved by anna');
  });

  it('is refused with what would help', async () => {
    const run = await asking('a', 'b');
    const silent = await Run.start(one);
    const cases: [() => Promise<unknown>, RegExp][] = [
      [() => approve(one, by(run, 'anna')), /has 2 open approval requests; approval_id must name one of "(a|b)", "(a|b)"/],
      [() => approve(one, by(run, 'anna', { approvalId: 'c' })), /has no approval request "c"/],
      [() => approve(one, by(run, '')), /decided_by is not set on request/],
      [() => approve(one, by(run, 'a\0')), /decided_by contains a NUL character/],
      [() => approve(one, by(run, 'anna', { reason: 'x'.repeat(4001) })), /reason has 4001 characters, at most 4000/],
      [() => approve(one, by(run, 'anna', { namespace: 'nowhere' })), /Namespace nowhere is not found/],
      [() => approve(one, by(run, 'anna', { namespace: 'other' })), /workflow not found/],
      [() => approve(one, by(run, 'anna', { namespace: 'other', runId: run.runId })), /workflow not found/],
      [() => approve(one, by(run, 'anna', { workflowId: 'nobody' })), /nobody/],
      [() => approve(one, by(run, 'anna', { workflowId: '' })), /WorkflowId is not set/],
      [() => approve(one, by(run, 'anna', { runId: 'x' })), /Invalid RunId/],
      [() => approve(one, by(silent, 'anna')), /has not asked for approval/],
      [() => get(one, silent), /has not asked for approval/],
      [() => get(one, run), /approval_id must say which: .* several open requests/],
      [() => get(one, run, 'c'), /has no approval request "c"/],
      [() => list(one, { namespace: 'nowhere' }), /Namespace nowhere is not found/],
      [() => list(one, { pageSize: -1 }), /page_size must be from 0 to 1000, not -1/],
      [() => list(one, { nextPageToken: Buffer.from('x') }), /Invalid next_page_token/],
    ];
    for (const [refused, text] of cases) await expect(refused()).rejects.toThrow(text);
    expect(await run.decisions(one)).toEqual([]);
  });
});

describe('the list', () => {
  it('filters by state and workflow, and pages through all of them, newest first', async () => {
    const run = await asking(...Array.from({ length: 7 }, (_, i) => `id-${i}`));
    await approve(one, by(run, 'anna', { approvalId: 'id-1' }));
    await reject(one, by(run, 'anna', { approvalId: 'id-2' }));
    const seen: string[] = [];
    let nextPageToken: Uint8Array = new Uint8Array();
    do {
      const page = await list(two, { workflowId: run.workflowId, pageSize: 2, nextPageToken });
      expect(page.approvals.length).toBeLessThanOrEqual(2);
      seen.push(...page.approvals.map((a) => a.approvalId));
      nextPageToken = page.nextPageToken;
    } while (nextPageToken.length > 0);
    expect(seen).toEqual(['id-6', 'id-5', 'id-4', 'id-3', 'id-0']);
    const decided = await list(two, { workflowId: run.workflowId, states: ['APPROVAL_STATE_APPROVED', 'APPROVAL_STATE_REJECTED'] });
    expect(decided.approvals.map((a) => a.approvalId)).toEqual(['id-2', 'id-1']);
    expect((await list(two, { namespace: 'other' })).approvals).toEqual([]);
  });

  it('ends a page early rather than send more than clients take', async () => {
    const run = await Run.start(one);
    for (let i = 0; i < 6; i++) {
      if (i > 0) await call(one, 'SignalWorkflowExecution', { workflowExecution: { workflowId: run.workflowId }, signalName: 'wake' });
      await run.task(one, asks(`id-${i}`, { details: 'x'.repeat(700_000) }));
    }
    const first = await list(two, { workflowId: run.workflowId });
    expect(first.approvals.map((a) => a.approvalId)).toEqual(['id-5']);
    const second = await list(two, { workflowId: run.workflowId, nextPageToken: first.nextPageToken });
    expect(second.approvals.map((a) => a.approvalId)).toEqual(['id-4']);
    expect(JSON.parse(second.approvals[0]!.detailsJson)).toHaveLength(700_000);
  });
});
