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

/** Bytes of all tables and indexes by name, TOAST with its table: as they lie, or after a vacuum. */
export async function relationBytes(client, { vacuum }) {
  if (vacuum) await client.query('vacuum');
  const { rows } = await client.query(`select c.relname as name, (case when c.relkind = 'r' then pg_table_size(c.oid) else pg_relation_size(c.oid) end)::int8 as bytes
    from pg_class c where c.relkind in ('r', 'i') and c.relnamespace = 'public'::regnamespace`);
  return new Map(rows.map(({ name, bytes }) => [name, bytes]));
}

/** What each has grown by, per unit, largest first; and what all have. */
export function growth(before, after, units) {
  const each = [...after].map(([name, bytes]) => [name, (bytes - (before.get(name) ?? 0)) / units]).sort(([, a], [, b]) => b - a);
  return { each, all: each.reduce((sum, [, bytes]) => sum + bytes, 0) };
}
