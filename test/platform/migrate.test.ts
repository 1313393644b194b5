import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate, MigrationError } from '../../server/storage/migrate.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';

let database: TestDatabase;
let directory: string;

beforeEach(async () => {
  database = await createDatabase({ migrated: false });
  directory = await mkdtemp(join(tmpdir(), 'migrations-'));
});
afterEach(async () => {
  await database.drop();
  await rm(directory, { recursive: true });
});

const file = (name: string, sql: string): Promise<void> => writeFile(join(directory, name), sql);

const query = async (sql: string): Promise<Record<string, unknown>[]> => {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
};

describe('migrate', () => {
  it('applies what is missing, in order, and nothing twice', async () => {
    await file('0001_first.sql', 'create table first (id int)');
    expect(await migrate(database.url, { directory })).toEqual({ version: 1, applied: ['0001_first.sql'] });
    await file('0002_second.sql', 'alter table first add column name text; insert into first values (1, $$one$$);');
    expect(await migrate(database.url, { directory })).toEqual({ version: 2, applied: ['0002_second.sql'] });
    expect(await migrate(database.url, { directory })).toEqual({ version: 2, applied: [] });
    expect(await query('select * from first')).toEqual([{ id: 1, name: 'one' }]);
  });

  it('lets twenty servers start at once: each file is applied by exactly one', async () => {
    for (let n = 1; n <= 5; n++) await file(`000${n}_step.sql`, `create table step_${n} (id int); insert into step_${n} values (${n});`);
    const results = await Promise.all(Array.from({ length: 20 }, () => migrate(database.url, { directory })));
    expect(results.map((result) => result.version)).toEqual(Array(20).fill(5));
    expect(results.flatMap((result) => result.applied).sort()).toEqual([1, 2, 3, 4, 5].map((n) => `000${n}_step.sql`));
    expect(await query('select count(*)::int as n from step_3')).toEqual([{ n: 1 }]);
  });

  it('leaves nothing of a file that fails, and goes on from there once it is right', async () => {
    await file('0001_good.sql', 'create table good (id int)');
    await file('0002_bad.sql', 'create table half (id int); select no_such_function();');
    await expect(migrate(database.url, { directory })).rejects.toThrow(/0002_bad\.sql failed and left nothing behind: .*no_such_function/);
    expect(await query(`select to_regclass('good') is not null as good, to_regclass('half') is not null as half`)).toEqual([{ good: true, half: false }]);
    await file('0002_bad.sql', 'create table half (id int)');
    expect((await migrate(database.url, { directory })).applied).toEqual(['0002_bad.sql']);
  });

  it('refuses a database that is newer than the code', async () => {
    await file('0001_first.sql', 'select 1');
    await file('0002_second.sql', 'select 2');
    await migrate(database.url, { directory });
    await rm(join(directory, '0002_second.sql'));
    const refusal = await migrate(database.url, { directory }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(MigrationError);
    expect((refusal as Error).message).toMatch(/database is newer than this program: it is at migration 0002_second\.sql, this program knows 1/);
  });

  it('refuses a file that changed after it was applied', async () => {
    await file('0001_first.sql', 'create table first (id int)');
    await migrate(database.url, { directory });
    await file('0001_first.sql', 'create table first (id bigint)');
    await expect(migrate(database.url, { directory })).rejects.toThrow(/0001_first\.sql was applied to this database with another text/);
  });

  it('refuses a gap in the numbers before it touches the database', async () => {
    await file('0001_first.sql', 'select 1');
    await file('0003_third.sql', 'select 3');
    await expect(migrate(database.url, { directory })).rejects.toThrow('expected 2, got the file 0003_third.sql');
    expect(await query(`select to_regclass('perdure_migrations') as t`)).toEqual([{ t: null }]);
  });
});
