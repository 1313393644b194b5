/** Lists of runs: every page begins where the last one ended, and finds its place by an index however many runs there are. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkListQuery } from '../../server/core/list-query/check.js';
import { parseListQuery } from '../../server/core/list-query/parse.js';
import { Database, type Statement } from '../../server/storage/database.js';
import { type ListedRun, Listing } from '../../server/storage/listing.js';
import { useDatabase } from '../helpers/postgres.js';

const NAMESPACE = '00000000-0000-4000-8000-000000000001';
const CLOSED = 3_000;
const OPEN = 40;
const db = useDatabase();
let database: Database;
/** What was asked of the database last. */
let asked: Statement;
let listing: Listing;

beforeAll(async () => {
  database = new Database({ url: db.url, poolSize: 3, onError: () => undefined });
  const noting = {
    query: (statement: Statement) => {
      asked = statement;
      return database.query(statement);
    },
  };
  listing = new Listing(noting as unknown as Database);
  // many of them started or closed in the same millisecond; one in a hundred failed
  await database.query({
    text: `insert into runs (run_id, namespace_id, workflow_id, version, status, workflow_type, task_queue, start_ms, execution_ms, close_ms, next_event_id, history_bytes, transitions,
        first_run_id, root_workflow_id, root_run_id, info, snapshot)
      select id, $1, 'w' || i, 1, case when i <= ${OPEN} then 1 when i % 100 = 0 then 3 else 2 end, 'T', 'q', 1000 + i / 7, 1000 + i / 7,
        case when i > ${OPEN} then 2000 + i / 5 end, 5, 100, 3, id, 'w' || i, id, '', ''
      from (select i, gen_random_uuid() as id from generate_series(1, ${OPEN + CLOSED}) i) x`,
    values: [NAMESPACE],
  });
  await database.query({ text: 'analyze runs' });
});
afterAll(() => database.close());

const checked = (query: string) => checkListQuery(parseListQuery(query), { namespace: 'default', types: new Map() });

/** All pages of a list. */
async function pages(query: string, size: number): Promise<string[]> {
  const ids: string[] = [];
  let after: ListedRun | undefined;
  for (;;) {
    const page = await listing.list(NAMESPACE, checked(query), size, after);
    ids.push(...page.map((run) => run.workflowId));
    if (page.length < size) return ids;
    after = page.at(-1);
  }
}

/** Rows that the last statement read but did not want, and what it found them by: conditions of indexes, and the part of the table if it was one alone. */
async function reading(): Promise<{ wasted: number; conditions: string }> {
  const [row] = await database.query({ text: `explain (analyze, format json) ${asked.text}`, values: asked.values ?? [] });
  const text = JSON.stringify(row);
  const wasted = [...text.matchAll(/"Rows Removed by (?:Filter|Index Recheck)":(\d+)/g)].reduce((sum, match) => sum + Number(match[1]), 0);
  const tables = new Set([...text.matchAll(/"Relation Name":"([^"]+)"/g)].map((match) => match[1]));
  return { wasted, conditions: [...text.matchAll(/"Index Cond":"([^"]+)"/g)].map((match) => match[1]).join(' ') + (tables.size === 1 ? [...tables][0] : '') };
}

it.each([7, 40, 500])('pages of %i hold every run once, in one order', async (size) => {
  const whole = await pages('', 10_000);
  expect(whole.length).toBe(OPEN + CLOSED);
  expect(await pages('', size)).toEqual(whole);
});

it('filters keep the order', async () => {
  const whole = await pages('', 10_000);
  const failed = whole.filter((id) => Number(id.slice(1)) > OPEN && Number(id.slice(1)) % 100 === 0);
  expect(await pages("ExecutionStatus = 'Failed'", 7)).toEqual(failed);
  expect(await pages("ExecutionStatus in ('Running', 'Failed')", 7)).toEqual([...whole.slice(0, OPEN), ...failed]);
  expect(await pages("not ExecutionStatus = 'Running'", 500)).toEqual(whole.slice(OPEN));
  expect(await pages("ExecutionStatus = 'Running'", 7)).toEqual(whole.slice(0, OPEN));
});

it('a page far behind begins at its place', async () => {
  const first = await listing.list(NAMESPACE, checked(''), 2_500, undefined);
  await listing.list(NAMESPACE, checked(''), 10, first.at(-1));
  expect(await reading()).toMatchObject({ wasted: 0, conditions: expect.stringContaining('close_ms') });
});

it('so does one behind open runs', async () => {
  const first = await listing.list(NAMESPACE, checked(''), 20, undefined);
  await listing.list(NAMESPACE, checked(''), 10, first.at(-1));
  expect(await reading()).toMatchObject({ wasted: 0, conditions: expect.stringContaining('start_ms') });
});

it.each([
  ["ExecutionStatus = 'Running'", 100],
  ["ExecutionStatus = 'Failed'", 100],
  ["ExecutionStatus = 'TimedOut'", 100],
  ["CloseTime between '1970-01-01T00:00:02.100Z' and '1970-01-01T00:00:02.110Z'", 100],
  ["CloseTime < '1970-01-01T00:00:02.050Z'", 1_000],
  ["WorkflowId = 'w77'", 100],
])('%s is found without reading other runs', async (query, limit) => {
  await listing.list(NAMESPACE, checked(query), limit, undefined);
  expect(await reading()).toMatchObject({ wasted: 0, conditions: expect.stringMatching(/close_ms|status|workflow_id|runs_open/) });
});
