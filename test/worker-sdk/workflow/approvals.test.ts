// waitForApproval: what stands in the history, who decides, and what happens when nobody does.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HistoryEvent } from '../../../worker-sdk/definitions/api.js';
import type { WorkflowHost } from '../../../worker-sdk/replay/workflow-host.js';
import { HistoryDriver, firstValue } from '../replay/history-driver.js';
import { makeHost } from '../replay/make-host.js';

const CODE = `
import { waitForApproval, setDefaultSignalHandler, isCancellation, CancellationScope, condition, defineSignal, setHandler, sleep } from '@perdure/sdk/workflow';
export async function one(options: object) { return waitForApproval({ what: 'a refund of 12 €', requestedFrom: 'leads', details: { order: 7 }, ...options }); }
export async function two() { const all = await Promise.all([waitForApproval({ what: 'first' }), waitForApproval({ what: 'second' })]); return all.map((d) => [d.approvalId, d.decision]); }
export async function late() { await sleep(1); return (await waitForApproval({ id: 'a', what: 'x' })).decision; }
export async function lateWithDefault() { const others: string[] = []; setDefaultSignalHandler((name) => { others.push(name); }); await sleep(1); const { decision } = await waitForApproval({ id: 'a', what: 'x' }); return [decision, others]; }
export async function cancelled() { try { await waitForApproval({ what: 'x', timeout: '1 day' }); } catch (e) { return isCancellation(e); } return 'no'; }
export async function again() { await waitForApproval({ id: 'a', what: 'x' }); try { await waitForApproval({ id: 'a', what: 'x' }); } catch (e) { return (e as Error).message; } }
`;
const SIGNAL = 'perdure.approval.decision';

let host: WorkflowHost;
beforeAll(async () => {
  host = await makeHost(CODE);
});
afterAll(() => host.dispose());

const markers = (driver: HistoryDriver): [string, unknown][] =>
  driver.events
    .map((event: HistoryEvent) => event.markerRecordedEventAttributes)
    .filter((marker) => marker != null)
    .map(({ markerName, details }) => [markerName!, firstValue(details?.request ?? details?.closed)]);

describe('an approval request', () => {
  test('stands in the history as a marker, and is decided by a signal', async () => {
    const driver = new HistoryDriver(host, 'one', [{}]);
    await driver.task();
    expect(markers(driver)).toEqual([
      ['perdure.approval', { approvalId: 'approval-1', what: 'a refund of 12 €', from: 'leads', details: { order: 7 } }],
    ]);
    await driver.signal(SIGNAL, { approvalId: 'approval-1', decision: 'approved', by: 'ada', reason: 'fair' }).task();
    expect(driver.result).toMatchObject({ approvalId: 'approval-1', decision: 'approved', by: 'ada', reason: 'fair' });
    expect((driver.result as { decidedAt: string }).decidedAt).toMatch(/^2030-01-01T00:00:\d\d/);
    expect(markers(driver)).toHaveLength(1);
    await driver.replay();
  });

  test('times out by a durable timer, and says so in the history', async () => {
    const driver = new HistoryDriver(host, 'one', [{ timeout: '2 days' }]);
    await driver.task();
    expect(markers(driver)[0]![1]).toMatchObject({ until: '2030-01-03T00:00:03.000Z' });
    await driver.fireTimer().task();
    expect(driver.result).toMatchObject({ decision: 'timed-out' });
    expect(markers(driver)[1]).toEqual(['perdure.approval.closed', { approvalId: 'approval-1', outcome: 'timed-out' }]);
    await driver.replay();
  });

  test('a decision in time cancels the timer; a decision and the timer in one task: the decision counts', async () => {
    const decided = new HistoryDriver(host, 'one', [{ timeout: '2 days' }]);
    await decided.task();
    await decided.signal(SIGNAL, { approvalId: 'approval-1', decision: 'rejected' }).task();
    expect(decided.result).toMatchObject({ decision: 'rejected' });
    expect(decided.events.some((event) => event.timerCanceledEventAttributes)).toBe(true);
    await decided.replay();

    const both = new HistoryDriver(host, 'one', [{ timeout: '2 days' }]);
    await both.task();
    await both.fireTimer().signal(SIGNAL, { approvalId: 'approval-1', decision: 'approved' }).task();
    expect(both.result).toMatchObject({ decision: 'approved' });
    await both.replay();
  });

  test('several at once, decided in any order, each once', async () => {
    const driver = new HistoryDriver(host, 'two');
    await driver.task();
    await driver.signal(SIGNAL, { approvalId: 'approval-2', decision: 'rejected' }).task();
    await driver.signal(SIGNAL, { approvalId: 'approval-2', decision: 'approved' }).signal(SIGNAL, 'nonsense').task();
    await driver.signal(SIGNAL, { approvalId: 'approval-1', decision: 'maybe' }).task();
    await driver.signal(SIGNAL, { approvalId: 'approval-1', decision: 'approved' }).task();
    expect(driver.result).toEqual([
      ['approval-1', 'approved'],
      ['approval-2', 'rejected'],
    ]);
    await driver.replay();
  });

  test.each([
    ['late', 'approved'],
    ['lateWithDefault', ['approved', ['other']]],
  ])('a decision before the request is kept for it (%s)', async (type, expected) => {
    const driver = new HistoryDriver(host, type);
    await driver.task();
    await driver.signal('other').signal(SIGNAL, { approvalId: 'a', decision: 'approved' }).signal(SIGNAL, { approvalId: 'a', decision: 'rejected' }).task();
    await driver.fireTimer().task();
    expect(driver.result).toEqual(expected);
    await driver.replay();
  });

  test('is withdrawn when its workflow is cancelled', async () => {
    const driver = new HistoryDriver(host, 'cancelled');
    await driver.task();
    await driver.requestCancel().task();
    expect(driver.result).toBe(true);
    expect(markers(driver)[1]).toEqual(['perdure.approval.closed', { approvalId: 'approval-1', outcome: 'cancelled' }]);
    await driver.replay();
  });

  test('an id can be asked for once', async () => {
    const driver = new HistoryDriver(host, 'again');
    await driver.signal(SIGNAL, { approvalId: 'a', decision: 'approved' }).task();
    expect(driver.result).toMatch(/'a' again/);
  });
});
