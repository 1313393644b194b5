/** The planner is told what closed runs look like before autovacuum comes by: a list of the completed ones reads as many as it shows. */
import { expect, it } from 'vitest';
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

it('lets a list of completed runs be read in its order', async () => {
  const database = new Database({ url: db.url, poolSize: 3, onError: () => undefined });
  const runs = new Runs(database);
  const namespace = '00000000-0000-4000-8000-000000000001';
  await database.query({
    text: `insert into runs (run_id, namespace_id, workflow_id, version, status, workflow_type, task_queue, start_ms, execution_ms, close_ms, next_event_id, history_bytes, transitions, info, snapshot)
      select gen_random_uuid(), $1, 'w' || i, 4, 2, 'T', 'q', i, i, i + 10, 12, 100, 4, '', repeat('x', 300)::bytea from generate_series(1, 20000) i`,
    values: [namespace],
  });
  await runs.analyzeClosed();
  expect(await runs.closedEstimate()).toBe(20_000);
  const plan = await database.query({
    text: `explain select * from runs where namespace_id = $1 and status = $2 order by close_ms desc, start_ms desc, run_id desc limit 100`,
    values: [namespace, 2],
  });
  const text = plan.map((row) => row['QUERY PLAN']).join('\n');
  expect(text).toContain('runs_closed_listed');
  expect(text).not.toMatch(/-> +Sort|Seq Scan on runs_closed/);
  await database.close();
});
