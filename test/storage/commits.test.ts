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
  Object.assign(state.info, { workflowType: 'Test', taskQueue: 'queue', startMs: 1, originalStartMs: 1, executionMs: 1, rootWorkflowId: workflowId, rootRunId: runId });
  state.nextEventId = 3;
  return {
    state,
    expectedVersion: 0,
    closedBefore: false,
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

const endOf = (run: RunWrite, expectedVersion: number): RunWrite => {
  const next = nextOf(run, expectedVersion);
  return { ...next, clearDeadline: true, state: { ...next.state, status: 2, closeMs: 77 } };
};

/** In which of the two tables the runs of this test lie, and what is there of one. */
const places = async (run: RunWrite) =>
  (await database.query({ text: "select tableoid::regclass::text as place, version, status, close_ms, deadline_ms from runs where run_id = $1", values: [run.state.info.runId] })).map((row) => Object.values(row).join(' '));

it('a run that ends goes over to the closed ones with all that it had, and makes room for the next of its workflow id', async () => {
  const [a, b, c] = [runOf('ends-a'), runOf('ends-b'), runOf('ends-c')];
  a.state.memo = Buffer.from('memo of a');
  await commits.write([itemOf(a), itemOf(b), itemOf(c)], 1);
  expect(await commits.write([itemOf(endOf(a, 1)), itemOf(endOf(b, 9)), itemOf(nextOf(c, 1))], 2)).toEqual(['done', 'conflict', 'done']);
  expect([await places(a), await places(b), await places(c)]).toEqual([['runs_closed 2 2 77 '], ['runs_open 1 1  1000'], ['runs_open 2 1  1000']]);
  expect(await historyOf(a)).toEqual(['1-2 first', '3-4 next']);
  const { state } = (await new Runs(database).load(a.state.info.runId))!;
  expect({ memo: String(state.memo), info: state.info, closeMs: state.closeMs }).toEqual({ memo: 'memo of a', info: a.state.info, closeMs: 77 });
  expect(await commits.write([itemOf(endOf(a, 1)), itemOf(nextOf(a, 1))], 3)).toEqual(['conflict', 'conflict']);
  expect(await commits.write([itemOf(runOf('ends-a'))], 4)).toEqual(['conflict']); // the first of its workflow id it is not
  expect(await commits.write([itemOf({ ...runOf('ends-a'), firstOfWorkflow: false })], 4)).toEqual(['done']);
});

it('a run that ended before can still change, and one may end as it begins', async () => {
  const [a, b] = [runOf('after-a'), runOf('after-b')];
  await commits.write([itemOf(a)], 1);
  const ended = endOf(a, 1);
  expect(await commits.write([itemOf({ ...ended, memoChanged: true, state: { ...ended.state, memo: Buffer.from('last') } })], 2)).toEqual(['done']);
  const later = { ...nextOf(ended, 2), closedBefore: true, events: undefined };
  b.state.closeMs = 5;
  b.state.status = 4;
  expect(await commits.write([itemOf(later), itemOf({ ...b, deadlineMs: null })], 3)).toEqual(['done', 'done']);
  expect([await places(a), await places(b)]).toEqual([['runs_closed 3 2 77 '], ['runs_closed 1 4 5 ']]);
  expect(await commits.write([itemOf({ ...later, expectedVersion: 2 })], 4)).toEqual(['conflict']);
  expect(String((await new Runs(database).load(a.state.info.runId))?.state.memo)).toBe('last');
});

it('the general statement moves a run that ends as well, while its successor begins', async () => {
  const [a, next] = [runOf('general'), { ...runOf('general'), firstOfWorkflow: false }];
  await commits.write([itemOf(a)], 1);
  expect(await commits.write([itemOf(endOf(a, 1), { runs: [endOf(a, 1), next] })], 2)).toEqual(['done']);
  expect([await places(a), await places(next)]).toEqual([['runs_closed 2 2 77 '], ['runs_open 1 1  1000']]);
  const runs = new Runs(database);
  expect((await runs.loadCurrent(NAMESPACE, 'general'))?.state.info.runId).toBe(next.state.info.runId);
  expect(await runs.loadCurrent(NAMESPACE, 'nobody')).toBeUndefined();
  expect(await runs.current(NAMESPACE, 'general')).toEqual({ runId: next.state.info.runId, status: 1, closeMs: 0, earlierCloseMs: 77 });
  await commits.write([itemOf(endOf(next, 1))], 3);
  const newest = [a, next].map((run) => run.state.info.runId).sort().at(-1);
  expect(await runs.currents(NAMESPACE, ['general', 'nobody'])).toEqual(new Map([['general', { runId: newest, status: 2 }]]));
});

it.each(['some runs', 'none'])('starts find earlier runs of their workflow id by its index, and updates their rows by theirs, also when planned with %s: nothing grows with the table', async (planned) => {
  const a = runOf(`plan with ${planned}`);
  await commits.write([itemOf(a)], 1);
  const begin = sent;
  await commits.write([itemOf(nextOf(a, 1))], 1);
  const update = sent;
  await commits.write([itemOf(endOf(nextOf(a, 1), 2))], 1);
  const end = sent;
  const grouped = [runOf('one of a group'), runOf('another of a group')];
  await commits.write(grouped.map((run) => itemOf(run)), 1);
  const begins = sent;
  await commits.write(grouped.map((run) => itemOf(nextOf(run, 1))), 1);
  const updates = sent;
  const reads: string[] = [];
  const query = async ({ text }: Statement) => {
    reads.push(text);
    return [];
  };
  const reading = new Runs({ query } as unknown as Database);
  await reading.load('');
  await reading.current('', '');
  await reading.loadCurrent('', '');
  if (planned === 'none') for (const text of ['truncate runs', 'vacuum runs_open', 'vacuum runs_closed']) await database.query({ text });
  const plan = async ({ text }: { text: string }) => (await database.query({ text: `explain (generic_plan) ${text}` })).map((row) => row['QUERY PLAN']).join('\n');
  const [load, current, loadCurrent] = await Promise.all(reads.map((text) => plan({ text })));
  for (const text of [await plan(begin), await plan(begins), current!, loadCurrent!]) {
    expect(text).toMatch(/using runs_one_open on runs_open o .*\n.*Index Cond: \(workflow_id = /);
    expect(text).toMatch(/using runs_closed_of_workflow on runs_closed c .*\n.*Index Cond: \(hashtextextended/);
    expect(text).not.toMatch(/Seq Scan|Bitmap|runs_open_pkey|runs_closed_pkey|listed/);
  }
  for (const text of await Promise.all([update, updates, end].map(plan))) {
    expect(text).toMatch(/using runs_open_pkey on runs_open r/);
    expect(text).not.toMatch(/Seq Scan|Bitmap|listed/);
  }
  expect(load).toMatch(/using runs_open_pkey[\s\S]*using runs_closed_pkey/);
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
