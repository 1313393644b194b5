/** The planner is told what closed runs look like before autovacuum comes by: a list of the completed ones, or of a type, reads as many as it shows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closedRunStatistics } from '../../server/loops/closed-run-statistics.js';
import { Database } from '../../server/storage/database.js';
import { Runs } from '../../server/storage/runs.js';
import { useDatabase } from '../helpers/postgres.js';

const db = useDatabase();

it('looks at closed runs at first, and whenever there are twice as many', async () => {
  const committer = { ended: 0 };
  let known = 0;
  let looks = 0;
  const runs = {
    closedEstimate: async () => known,
    analyzeClosed: async () => {
      known = committer.ended;
      looks++;
    },
  };
  const look = closedRunStatistics({ committer, runs } as unknown as Parameters<typeof closedRunStatistics>[0]);
  const after = async (more: number) => {
    committer.ended += more;
    const before = looks;
    await look();
    return looks - before;
  };
  expect(await after(400)).toBe(0);
  expect(await after(200)).toBe(1);
  expect(await after(0)).toBe(0);
  expect(await after(590)).toBe(0);
  expect(await after(20)).toBe(1);
  expect(await after(1_000)).toBe(0);
});

describe('twenty thousand closed runs of one type', () => {
  const namespace = '00000000-0000-4000-8000-000000000001';
  let database: Database;
  beforeAll(async () => {
    database = new Database({ url: db.url, poolSize: 3, onError: () => undefined });
    const runs = new Runs(database);
    await database.query({
      text: `insert into runs (run_id, namespace_id, workflow_id, version, status, workflow_type, task_queue, start_ms, execution_ms, close_ms, next_event_id, history_bytes, transitions, info, snapshot)
        select gen_random_uuid(), $1, 'w' || i, 4, 2, 'T', 'q', i, i, i + 10, 12, 100, 4, '', repeat('x', 300)::bytea from generate_series(1, 20000) i`,
      values: [namespace],
    });
    await runs.analyzeClosed();
    expect(await runs.closedEstimate()).toBe(20_000);
  });
  afterAll(() => database.close());
  /** For whatever the parameters may be, as lists are planned. */
  const plan = async (text: string): Promise<string> => {
    const rows = await database.query({ text: `explain (generic_plan) ${text}` });
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  };
  const list = (where: string): Promise<string> =>
    plan(`select * from runs where namespace_id = $1 and ${where} order by close_ms desc, start_ms desc, run_id desc limit 100`);

  it('lists completed runs by reading them in their order', async () => {
    const text = await list('status = $2');
    expect(text).toContain('runs_closed_listed');
    expect(text).not.toMatch(/-> +Sort|Seq Scan on runs_closed/);
  });

  it('lists runs of a type, which may be a rare one, without reading those of others', async () => {
    for (const text of [await list('workflow_type = $2'), await list('workflow_type = $2 and status = $3')]) {
      expect(text).toContain('runs_closed_typed');
      expect(text).not.toMatch(/-> +Sort|Seq Scan on runs_closed/);
    }
  });

  it('counts them by status from an index alone', async () => {
    await database.query({ text: 'vacuum runs_closed' });
    expect(await plan('select status, count(*) from runs where namespace_id = $1 group by status')).toContain('Index Only Scan using runs_closed_listed');
    expect(await plan('select count(*) from runs where namespace_id = $1 and status = $2')).toContain('Index Only Scan using runs_closed_listed');
  });
});
