/** What ended runs leave among the open ones is cleared away: after many while runs end all the time, after fewer once none does. */
import { expect, it } from 'vitest';
import { deadRowSweeper } from '../../server/loops/dead-row-sweeper.js';
import { Database } from '../../server/storage/database.js';
import { Runs } from '../../server/storage/runs.js';
import { useDatabase } from '../helpers/postgres.js';

const db = useDatabase();

function sweeper(open = 0) {
  const committer = { ended: 0 };
  const sweeps: boolean[] = [];
  const runs = { openEstimate: async () => open, removeDeadRows: async (truncate: boolean) => void sweeps.push(truncate) };
  const look = deadRowSweeper({ committer, runs } as unknown as Parameters<typeof deadRowSweeper>[0]);
  const after = async (more: number) => {
    committer.ended += more;
    await look();
    return sweeps.splice(0);
  };
  return { after };
}

it('sweeps a busy server now and then, and a quiet one once', async () => {
  const { after } = sweeper();
  expect(await after(900)).toEqual([]);
  expect(await after(200)).toEqual([false]);
  expect(await after(300)).toEqual([]);
  expect(await after(0)).toEqual([true]);
  expect(await after(0)).toEqual([]);
  expect(await after(50)).toEqual([]);
  expect(await after(0)).toEqual([]);
});

it('sweeps no more often than when a part of a large table has ended, and a huge one not at all', async () => {
  const large = sweeper(100_000);
  expect(await large.after(4_000)).toEqual([]);
  expect(await large.after(2_000)).toEqual([false]);
  const huge = sweeper(1_000_000);
  expect(await huge.after(900_000)).toEqual([]);
});

it('gives room back to the system when all open runs have ended', async () => {
  const database = new Database({ url: db.url, poolSize: 3, onError: () => undefined });
  const runs = new Runs(database);
  await database.query({
    text: `insert into runs (run_id, namespace_id, workflow_id, version, status, workflow_type, task_queue, start_ms, execution_ms, next_event_id, history_bytes, transitions, info, snapshot)
      select gen_random_uuid(), $1, 'w' || i, 1, 1, 'T', 'q', 1, 1, 5, 100, 3, '', repeat('x', 500)::bytea from generate_series(1, 500) i`,
    values: ['00000000-0000-4000-8000-000000000001'],
  });
  const bytes = async () => (await database.query({ text: "select pg_relation_size('runs_open') as bytes" }))[0]!.bytes as number;
  await runs.removeDeadRows(true);
  expect(await runs.openEstimate()).toBe(500);
  await database.query({ text: 'update runs set close_ms = 7, status = 2' });
  expect(await bytes()).toBeGreaterThan(100_000);
  await runs.removeDeadRows(true);
  expect(await bytes()).toBe(0);
  expect((await runs.openEstimate())).toBe(0);
  await database.close();
});
