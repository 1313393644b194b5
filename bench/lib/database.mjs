/** What the database says of itself: commits, WAL, sizes. */
import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';

export async function withDatabase(databaseUrl, work) {
  const client = new pg.Client({ connectionString: databaseUrl, types: { getTypeParser: (oid, format) => (oid === 20 ? Number : pg.types.getTypeParser(oid, format)) } });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Backends report what they did at most once a second. */
const STATISTICS_MS = 1_500;

/** Commits and bytes of WAL so far, once what was done before is counted. */
export async function counters(client) {
  await sleep(STATISTICS_MS);
  const { rows } = await client.query(`select (select xact_commit from pg_stat_database where datname = current_database())::int8 as commits,
    pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::int8 as wal`);
  return rows[0];
}

/** Bytes of all tables with their indexes and TOAST, after a vacuum. */
export async function tableBytes(client) {
  await client.query('vacuum');
  const { rows } = await client.query(`select sum(pg_total_relation_size(c.oid))::int8 as bytes from pg_class c where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace`);
  return rows[0].bytes;
}
