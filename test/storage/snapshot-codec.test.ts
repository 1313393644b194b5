/** Run states as they lie in the database. */
import { expect, it } from 'vitest';
import { blankState } from '../../server/core/blank-state.js';
import type { Activity, RunState, WorkflowTask } from '../../server/core/run-state.js';
import { decodeState, encodeInfo, encodeSnapshot } from '../../server/storage/snapshot-codec.js';
import { storedRun } from '../helpers/stored-run.js';

const blank = (): RunState => blankState({ namespaceId: 'n', namespace: 'default', workflowId: 'w', runId: 'r', requestId: 'q' });

const state = (): RunState => ({ ...blank(), buffered: [Buffer.from([1, 2, 255])], signalCount: 7 });

const ACTIVITY: Activity = {
  scheduledEventId: 5, activityId: '1', type: 'step', queue: 'queue', attempt: 1, scheduledMs: 1_000, attemptScheduledMs: 1_000, queued: true, startedMs: 0,
  requestId: '', identity: '', scheduleToCloseMs: 0, scheduleToStartMs: 0, startToCloseMs: 60_000, heartbeatMs: 0,
  retry: { initialIntervalMs: 1_000, coefficient: 2, maximumIntervalMs: 100_000, maximumAttempts: 0, nonRetryableTypes: [] },
  lastFailure: null, lastIdentity: '', lastAttemptCompletedMs: 0, heartbeatDetails: null, lastHeartbeatMs: 0, cancelRequestedEventId: 0, stamp: 0, paused: null,
  resetRequested: false, resetHeartbeat: false, priority: null,
};

const TASK: WorkflowTask = {
  kind: 'normal', written: true, scheduledEventId: 8, startedEventId: 9, attempt: 1, queue: 'sticky', sticky: true, scheduledMs: 3, originalScheduledMs: 3, startedMs: 4,
  startToCloseMs: 10_000, scheduleToStartMs: 0, requestId: 'x', identity: 'i', historySizeBytes: 77, suggestReasons: [], workerVersion: Buffer.from([1]),
};

/** A run in the middle of its work. */
function busy(): RunState {
  const run = state();
  Object.assign(run.info, { taskQueue: 'queue', workflowType: 'T', startMs: 5, originalStartMs: 5, executionMs: 6, retry: { ...ACTIVITY.retry!, maximumAttempts: 3 }, priority: Buffer.from([9]) });
  run.sticky = { queue: 'sticky', scheduleToStartMs: 10_000 };
  run.workflowTask = { ...TASK };
  run.activities[5] = { ...ACTIVITY };
  run.activities[6] = {
    ...ACTIVITY, scheduledEventId: 6, queue: 'another', attempt: 4, attemptScheduledMs: 0, queued: false, retry: null, lastFailure: Buffer.from([0]), paused: { ms: 1, identity: 'i', reason: '', requestId: '' },
  };
  run.resetPoints.push({ buildId: 'b', binaryChecksum: '', runId: 'r', firstWorkflowTaskCompletedId: 4, createMs: 2, expireMs: 0, resettable: true });
  run.resetPoints.push({ buildId: 'a', binaryChecksum: 'c', runId: 'an earlier run', firstWorkflowTaskCompletedId: 4, createMs: 1, expireMs: 9, resettable: false });
  Object.assign(run, { status: 2, closeMs: 99, closeEventId: 11, nextEventId: 12, historyBytes: 1_000, transitions: 4, memo: Buffer.from('memo') });
  return run;
}

it('come back as they were, bytes too', () => {
  expect(decodeState(storedRun(state()))).toEqual(state());
  expect(decodeState(storedRun(busy()))).toEqual(busy());
});

it.each<[string, Partial<WorkflowTask>, Partial<RunState>]>([
  ['of the normal queue', { sticky: false, queue: 'queue' }, {}],
  ['of a normal queue that is not the run’s', { sticky: false, queue: 'elsewhere' }, {}],
  ['of a worker that is not the run’s any more', { queue: 'sticky' }, { sticky: null }],
  ['that was tried before', { attempt: 2, written: false, kind: 'speculative', suggestReasons: [1] }, {}],
])('keep a workflow task %s', (_name, task, more) => {
  const run = { ...busy(), ...more, workflowTask: { ...TASK, ...task } };
  expect(decodeState(storedRun(run))).toEqual(run);
});

it('keep the requests of a run: the one that made it, others, or none', () => {
  const made = { eventId: 1, eventType: 1 };
  for (const ids of [[], ['q'], ['q', 'another'], ['another']]) {
    const run = busy();
    for (const id of ids) run.requestIds[id] = { ...made };
    expect(decodeState(storedRun(run))).toEqual(run);
    run.info.createRequestId = '';
    expect(decodeState(storedRun(run))).toEqual(run);
  }
  const odd = busy();
  odd.requestIds.q = { eventId: 7, eventType: 1 };
  expect(decodeState(storedRun(odd))).toEqual(odd);
});

it.each<[string, Partial<RunState>]>([
  ['none yet', {}],
  ['one', { lastWorkerVersion: { buildId: 'b', versioned: false }, buildIds: ['unversioned', 'unversioned:b'] }],
  ['one without a name', { lastWorkerVersion: { buildId: '', versioned: false }, buildIds: ['unversioned'] }],
  ['two', { lastWorkerVersion: { buildId: 'b', versioned: false }, buildIds: ['unversioned', 'unversioned:a', 'unversioned:b'] }],
  ['one that counts', { lastWorkerVersion: { buildId: 'b', versioned: true }, buildIds: ['versioned:b'] }],
  ['one that was not noted', { lastWorkerVersion: { buildId: 'b', versioned: false }, buildIds: [] }],
])('keep the builds of the workers: %s', (_name, builds) => {
  const run = { ...busy(), ...builds };
  expect(decodeState(storedRun(run))).toEqual(run);
});

it('say the build of the last worker once', () => {
  const run = { ...busy(), lastWorkerVersion: { buildId: 'the-build', versioned: false }, buildIds: ['unversioned', 'unversioned:the-build'] };
  run.resetPoints[0]!.buildId = 'the-build';
  expect(encodeSnapshot(run).toString().match(/the-build/g)).toHaveLength(1);
  expect(decodeState(storedRun(run))).toEqual(run);
});

it('share nothing with each other once they are read', () => {
  const one = decodeState(storedRun(busy()));
  one.workflowTask!.suggestReasons.push(1);
  one.activities[5]!.retry!.nonRetryableTypes.push('X');
  one.updatesAdmitted.push({ updateId: 'u', request: null, admittedMs: 0, admission: 0, sentWith: 0 });
  expect(decodeState(storedRun(busy()))).toEqual(busy());
});

it('say only what is not blank and in no column of its own', () => {
  expect(JSON.parse(encodeSnapshot({ ...blank(), requestIds: { q: { eventId: 1, eventType: 1 } } }).toString())).toEqual({});
  expect(JSON.parse(encodeInfo(blank()).toString())).toEqual({ namespace: 'default', createRequestId: 'q' });
});

/** What servers wrote that left nothing out. */
const whole = (run: RunState): Record<string, unknown> =>
  JSON.parse(JSON.stringify(run, (_key, value) => (value?.type === 'Buffer' ? { $b: Buffer.from(value.data).toString('base64') } : value)));

it('of an older server, which wrote blank fields too, are read the same', () => {
  const { info, memo: _memo, searchAttributes: _search, ...older } = whole(busy());
  const stored = { ...storedRun(busy()), info: Buffer.from(JSON.stringify(info)), snapshot: Buffer.from(JSON.stringify(older)) };
  expect(decodeState(stored)).toEqual(busy());
});

it('of an older server, which knew fewer fields, get the missing ones', () => {
  const { approvals, approvalsOver, info: _info, ...older } = whole(state());
  expect(approvals).toEqual([]);
  expect(approvalsOver).toEqual([]);
  expect(decodeState({ ...storedRun(state()), snapshot: Buffer.from(JSON.stringify(older)) })).toEqual(state());
});

it('of an older server, which kept updates otherwise and no original start, are read as if of today', () => {
  const snapshot = Buffer.from(JSON.stringify({ ...whole(state()), updatesAccepted: {}, updatesCompleted: {} }));
  const info = Buffer.from(JSON.stringify({ ...state().info, startMs: 7, originalStartMs: undefined }));
  const read = decodeState({ ...storedRun(state()), snapshot, info });
  expect(read.updatesAccepted).toEqual([]);
  expect(read.updatesCompleted).toEqual([]);
  expect(read.info.originalStartMs).toBe(7);
});
