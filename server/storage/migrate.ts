/**
 * Brings a database to the schema of this code: forward-only SQL files, each in a transaction of its own, under an advisory lock, so that any number
 * of servers may start at once. Each transaction takes the lock anew and looks again, which also works through a transaction-pooling proxy.
 */
import { crashPoint } from '../crash-points.js';
import type { Logger } from '../log.js';
import pg from './driver.js';
import { type Migration, MigrationError, readMigrations } from './migration-files.js';

export { MigrationError };

export interface MigrateOptions {
  /** Folder of `0001_name.sql` files; the one that ships with the server when absent. */
  readonly directory?: string;
  readonly log?: Logger;
}

export interface MigrateResult {
  /** The schema's version after the call: the number of the last migration. 0: none exist. */
  readonly version: number;
  /** File names applied by this call. */
  readonly applied: readonly string[];
}

interface AppliedRow {
  readonly version: number;
  readonly file: string;
  readonly checksum: string;
}

/** The oldest PostgreSQL that the SQL is written for, as `server_version_num`. */
const OLDEST_SERVER = 150_000;

/** "perdure" in ASCII, cut to a signed 64-bit integer: any fixed number that others are unlikely to use. */
const LOCK_KEY = '8097863973307969125';

/**
 * Applies what is missing.
 * @param database a connection string, or a connected client that nobody else uses meanwhile
 * @throws {MigrationError} when the database is newer than the code, an applied file was changed, or the server is too old
 */
export const migrate = async (database: string | pg.ClientBase, options: MigrateOptions = {}): Promise<MigrateResult> => {
  const migrations = readMigrations(options.directory);
  if (typeof database !== 'string') return applyAll(database, migrations, options.log);
  const client = new pg.Client({ connectionString: database, application_name: 'perdure migrate' });
  client.on('error', () => undefined); // a lost connection also fails the query under way, which reports it
  try {
    await client.connect();
    return await applyAll(client, migrations, options.log);
  } finally {
    await client.end().catch(() => undefined);
  }
};

const applyAll = async (client: pg.ClientBase, migrations: readonly Migration[], log: Logger | undefined): Promise<MigrateResult> => {
  const { rows } = await client.query<{ server_version_num: string; server_version: string; begun: boolean }>(
    `select current_setting('server_version_num') as server_version_num, current_setting('server_version') as server_version,
            to_regclass('perdure_migrations') is not null as begun`,
  );
  if (Number(rows[0]?.server_version_num) < OLDEST_SERVER)
    throw new MigrationError(`Expected PostgreSQL 15 or newer, got ${rows[0]?.server_version}.`);
  // most starts find nothing to do, and need no lock to see that
  if (rows[0]?.begun === true && missing(await readApplied(client), migrations) === undefined) return { version: migrations.length, applied: [] };
  const applied: string[] = [];
  for (;;) {
    const done = await applyNext(client, migrations, log);
    if (done === undefined) break;
    applied.push(done);
    log?.debug({ migration: done }, 'applied a migration');
    crashPoint('between-migrations');
  }
  const version = migrations.length;
  if (applied.length > 0) log?.info({ version, applied: applied.length }, 'brought the database to the schema of this version');
  return { version, applied };
};

/** One transaction: lock, look, apply the first missing file. Undefined when nothing was missing. */
const applyNext = async (client: pg.ClientBase, migrations: readonly Migration[], log: Logger | undefined): Promise<string | undefined> => {
  await client.query('begin');
  try {
    await lock(client, log);
    await client.query(`
      create table if not exists perdure_migrations (
        version integer primary key,
        file text not null,
        checksum text not null,
        applied_at timestamptz not null default now()
      )`);
    const next = missing(await readApplied(client), migrations);
    if (next !== undefined) {
      await client.query(next.sql).catch((error: unknown) => {
        throw new MigrationError(`Migration ${next.file} failed and left nothing behind: ${error instanceof Error ? error.message : error}`, { cause: error });
      });
      await client.query('insert into perdure_migrations (version, file, checksum) values ($1, $2, $3)', [next.version, next.file, next.checksum]);
      crashPoint('in-migration');
    }
    await client.query('commit');
    return next?.file;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
};

const lock = async (client: pg.ClientBase, log: Logger | undefined): Promise<void> => {
  const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_xact_lock($1::bigint) as locked', [LOCK_KEY]);
  if (rows[0]?.locked === true) return;
  log?.info('waiting for another server that is migrating this database');
  await client.query('select pg_advisory_xact_lock($1::bigint)', [LOCK_KEY]);
};

const readApplied = async (client: pg.ClientBase): Promise<AppliedRow[]> => {
  const { rows } = await client.query<AppliedRow>('select version, file, checksum from perdure_migrations order by version');
  return rows;
};

const missing = (applied: readonly AppliedRow[], migrations: readonly Migration[]): Migration | undefined => {
  const newest = applied.at(-1);
  if (newest !== undefined && newest.version > migrations.length) {
    throw new MigrationError(
      `The database is newer than this program: it is at migration ${newest.file}, this program knows ${migrations.length}. ` +
        'Start a version of Perdure that is at least as new as the one that migrated it, or restore a backup from before.',
    );
  }
  for (const row of applied) {
    const known = migrations[row.version - 1];
    if (known?.checksum !== row.checksum) {
      throw new MigrationError(
        `Migration ${row.file} was applied to this database with another text than this program's ${known?.file}. Migrations never change once released: ` +
          'start the version that made this database, or an empty database.',
      );
    }
  }
  return migrations[applied.length];
};
