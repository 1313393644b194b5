/** The commit statements on a real PostgreSQL: each item by itself, whatever becomes of the others. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { blankState } from '../../server/core/blank-state.js';
import { BinaryArray, type ColumnType } from '../../server/storage/binary-arrays.js';
import { Commits } from '../../server/storage/commit.js';
import type { CommitItem, RunWrite, TaskWrite } from '../../server/storage/commit-item.js';
import { Database, type Statement } from '../../server/storage/database.js';
import { Runs } from '../../server/storage/runs.js';
import { useDatabase } from '../helpers/postgres.js';

const NAMESPACE = randomUUID();
const url = useDatabase();
let database: Database;
/** The last statement that was sent. */
let sent: Statement;
let commits: Commits;

beforeAll(() => {
  database = new Database({ url: url.url, poolSize: 3, onError: () => undefined });
  const watched = {
    query: (statement: Statement) => {
      sent = statement;
      return database.query(statement);
    },
    execute: (statement) => {
      sent = statement;
      return database.execute(statement);
    },
  } as Database;
  commits = new Commits(watched);
});
afterAll(() => database.close());

function runOf(workflowId: string, runId: string = randomUUID()): RunWrite {
  const state = blankState({ namespaceId: NAMESPACE, namespace: 'default', workflowId, runId, requestId: '' });
  Object.assign(state.info, { workflowType: 'Test', taskQueue: 'queue', startMs: 1, executionMs: 1, rootWorkflowId: workflowId, rootRunId: runId });
  state.nextEventId = 3;
  return {
    state,
    expectedVersion: 0,
    firstOfWorkflow: true,
    deadlineMs: 1_000,
    clearDeadline: false,
    infoChanged: true,
    memoChanged: true,
    searchAttributesChanged: true,
    indexed: undefined,
    events: Buffer.from('first'),
    firstEventId: 1,
    lastEventId: 2,
    batchStarts: [],
  };
}

const nextOf = (run: RunWrite, expectedVersion: number): RunWrite => {
  const state = { ...run.state, nextEventId: run.state.nextEventId + 2 };
  const unchanged = { infoChanged: false, memoChanged: false, searchAttributesChanged: false, firstOfWorkflow: false, deadlineMs: null };
  return { ...run, ...unchanged, state, expectedVersion, firstEventId: run.state.nextEventId, lastEventId: state.nextEventId - 1, events: Buffer.from('next') };
};

const itemOf = (run: RunWrite, more: Partial<CommitItem> = {}): CommitItem => ({
  runs: [run], copies: [], tasks: [], takenTasks: [], requests: [], messages: [], takenMessages: [], approvals: [], ...more,
});

const taskOf = (run: RunWrite): TaskWrite => ({
  namespaceId: NAMESPACE, kind: 1, queue: 'queue', priority: 3, place: 0, key: '', weight: 1, runId: run.state.info.runId, workflowId: 'w', eventId: 2, stamp: 1, claimUntilMs: 0,
});

const historyOf = async (run: RunWrite) =>
  (await database.query({ text: 'select first_event_id, last_event_id, events from history where run_id = $1 order by 1', values: [run.state.info.runId] })).map(
    (row) => `${row.first_event_id}-${row.last_event_id} ${row.events}`,
  );

it('a group: those that lost their race write nothing, the others everything', async () => {
  const [a, b] = [runOf('a'), runOf('b')];
  expect(await commits.write([itemOf(b), itemOf(a)], 1)).toEqual(['done', 'done']);
  const task = taskOf(a);
  const lost = taskOf(b);
  const items = [itemOf(nextOf(b, 7), { tasks: [lost] }), itemOf(nextOf(a, 1), { tasks: [task] }), itemOf(runOf('c')), itemOf(runOf('a'))];
  expect(await commits.write(items, 5)).toEqual(['conflict', 'done', 'done', 'conflict']);
  expect(await historyOf(a)).toEqual(['1-2 first', '3-4 next']);
  expect(await historyOf(b)).toEqual(['1-2 first']);
  expect(task.taskId).toBeGreaterThan(0);
  expect(lost.taskId).toBeUndefined();
  expect(await database.query({ text: 'select run_id, enqueued_ms from tasks' })).toEqual([{ run_id: a.state.info.runId, enqueued_ms: 5 }]);
  expect((await new Runs(database).load(a.state.info.runId))?.version).toBe(2);
  expect(await commits.write([itemOf(nextOf(nextOf(a, 1), 2), { takenTasks: [task.taskId!] })], 6)).toEqual(['done']);
  expect(await database.query({ text: 'select run_id from tasks' })).toEqual([]);
});

it('a request that a run has taken before is a duplicate, and hurts no other item of its group', async () => {
  const [a, b] = [runOf('request-a'), runOf('request-b')];
  const request = (run: RunWrite, requestId: string) => ({ requests: [{ runId: run.state.info.runId, requestId }] });
  expect(await commits.write([itemOf(a, request(a, 'r1')), itemOf(b)], 1)).toEqual(['done', 'done']);
  expect(await commits.write([itemOf(nextOf(a, 1), request(a, 'r1')), itemOf(nextOf(b, 1), request(b, 'r1'))], 2)).toEqual(['duplicate', 'done']);
  expect(await historyOf(a)).toEqual(['1-2 first']);
  expect(await historyOf(b)).toEqual(['1-2 first', '3-4 next']);
  expect(await commits.write([itemOf(nextOf(a, 9), request(a, 'r2'))], 3)).toEqual(['conflict']);
  expect(await new Runs(database).hasTaken(a.state.info.runId, 'r2')).toBe(false);
});

it('what changes seldom is kept when another run of the group changes its own', async () => {
  const [a, b] = [runOf('seldom-a'), runOf('seldom-b')];
  a.state.memo = Buffer.from('memo of a');
  b.state.memo = Buffer.from('memo of b');
  await commits.write([itemOf(a), itemOf(b)], 1);
  const changed = { ...nextOf(a, 1), memoChanged: true };
  changed.state.memo = Buffer.from('new memo of a');
  expect(await commits.write([itemOf(changed), itemOf({ ...nextOf(b, 1), state: { ...nextOf(b, 1).state, memo: null } })], 2)).toEqual(['done', 'done']);
  const memos = await Promise.all([a, b].map(async (run) => String((await new Runs(database).load(run.state.info.runId))?.state.memo)));
  expect(memos).toEqual(['new memo of a', 'memo of b']);
});

it('starts find earlier runs of their workflow id by its index, and updates their rows by theirs: nothing grows with the table', async () => {
  const a = runOf('plan');
  await commits.write([itemOf(a)], 1);
  const begin = sent;
  await commits.write([itemOf(nextOf(a, 1))], 1);
  const plan = async ({ text }: Statement) => (await database.query({ text: `explain (generic_plan) ${text}` })).map((row) => row['QUERY PLAN']).join('\n');
  expect(await plan(begin)).toMatch(/using runs_of_workflow on runs r .*\n.*Index Cond: \(\(namespace_id = .*\) AND \(workflow_id = /);
  expect(await plan(sent)).toMatch(/using runs_pkey on runs r/);
  for (const text of [await plan(begin), await plan(sent)]) expect(text).not.toMatch(/Seq Scan|Bitmap/);
});

it('columns travel as they are', async () => {
  const columns: [ColumnType, unknown[]][] = [
    ['boolean', [true, false, null]],
    ['smallint', [0, -32_768, 32_767]],
    ['int', [1, -2_147_483_648, null]],
    ['bigint', [0, -1, -5_000_000_000, 9_007_199_254_740_991, undefined]],
    ['real', [1.5, -0.25]],
    ['uuid', ['00000000-0000-0000-0000-000000000000', NAMESPACE, null]],
    ['text', ['', 'grüße {"a","b"} \\', null]],
    ['bytea', [Buffer.from([0, 255, 92]), Buffer.alloc(0), null]],
  ];
  for (const [type, values] of columns) {
    const rows = await database.query({ text: `select v from unnest($1::${type}[]) with ordinality as c(v, n) order by n`, values: [new BinaryArray(type, values as never)] });
    expect(rows.map((row) => row.v)).toEqual(values.map((v) => v ?? null));
  }
});
