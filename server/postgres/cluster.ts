/** Makes database clusters: one that lasts by `initdb`, one that does not as a copy of a template made once per machine and user. */
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execFile } from 'node:child_process';
import type { Account } from './account.js';
import { buildOnce, makeFolder } from './build-once.js';
import { give } from './places.js';
import { isAlive } from './processes.js';
import { runAs, type Programs } from './programs.js';

/** Name of the database and of its superuser; the socket's folder, closed to others, is what keeps it safe. */
export const DATABASE = 'perdure';

interface InitOptions {
  /** Size of a log segment, a power of two. Small ones make a small template. */
  readonly walSegmentMb: number;
  /** False drops `template0` and `template1`, two thirds of all files, from a cluster that is copied at every start and only needs the one database. */
  readonly databasesOfItsOwn: boolean;
}

/** A complete cluster at `folder`, synced to disk. Its locale is PostgreSQL's own, so that it is the same on every system. */
const initCluster = async (programs: Programs, account: Account | undefined, folder: string, options: InitOptions): Promise<void> => {
  await makeFolder(folder);
  await give(folder, account);
  await runAs(account, programs.initdb, [
    '-D', folder, '-U', DATABASE, '-A', 'trust', '--no-instructions', '--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8',
    `--wal-segsize=${options.walSegmentMb}`,
  ]);
  // initdb makes one user database and calls it postgres; renaming it saves the cost of another
  await singleUser(programs, account, folder, `alter database postgres rename to ${DATABASE}`, 'template1');
  if (options.databasesOfItsOwn) return;
  for (const database of ['template0', 'template1']) {
    await singleUser(programs, account, folder, `update pg_database set datistemplate = false where datname = '${database}'`);
    await singleUser(programs, account, folder, `drop database ${database}`);
  }
};

const singleUser = (programs: Programs, account: Account | undefined, folder: string, sql: string, database = DATABASE): Promise<void> =>
  new Promise((resolve, reject) => {
    const options = { ...(account && { uid: account.uid, gid: account.gid }), cwd: '/', env: { LC_ALL: 'C', TZ: 'UTC' } };
    const child = execFile(programs.postgres, ['--single', '-D', folder, database], options, (error, _stdout, stderr) => {
      if (error !== null || stderr.includes('ERROR')) reject(new Error(`PostgreSQL could not prepare the cluster at ${folder}: ${stderr.trim() || error?.message}`));
      else resolve();
    });
    child.stdin?.on('error', () => undefined); // it ended early, which its exit code tells
    child.stdin?.end(`${sql};\n`);
  });

/**
 * The cluster that lasts, made when missing. It gets its name only when complete, so that what a killed start leaves is never taken for a cluster.
 * @throws when the data there is of another major version
 */
export const ensureCluster = async (programs: Programs, account: Account | undefined, dataDirectory: string): Promise<void> => {
  await removeHalfMade(dataDirectory);
  const found = await readFile(join(dataDirectory, 'PG_VERSION'), 'utf8').catch(() => undefined);
  const wanted = programs.version.split('.')[0];
  if (found !== undefined && found.trim() !== wanted) {
    throw new Error(
      `The database at ${dataDirectory} is of PostgreSQL ${found.trim()}, the embedded one is ${wanted}. Dump it with the old version and load it with the new one, or name another folder.`,
    );
  }
  if (found !== undefined) return;
  const half = `${dataDirectory}.new-${process.pid}`;
  await initCluster(programs, account, half, { walSegmentMb: 16, databasesOfItsOwn: true });
  await rename(half, dataDirectory).catch(async (error: Error) => {
    await rm(half, { recursive: true, force: true });
    throw new Error(`Expected no file or an empty folder at ${dataDirectory}, where the database is to be made: ${error.message}`);
  });
};

const removeHalfMade = async (dataDirectory: string): Promise<void> => {
  const folder = dirname(dataDirectory);
  const half = new RegExp(`^${dataDirectory.slice(folder.length + 1)}\\.new-(\\d+)$`);
  for (const name of await readdir(folder)) {
    const maker = Number(half.exec(name)?.[1]);
    if (maker > 0 && (maker === process.pid || !isAlive(maker))) await rm(join(folder, name), { recursive: true, force: true });
  }
};

/** Counts the ways in which templates were made: a cache that an earlier Perdure filled must not be taken for one of this. */
const TEMPLATE_REVISION = 2;

/** The cluster that ephemeral ones are copied from; returns its folder. Kept per account, which owns its files. */
export const ensureTemplate = async (programs: Programs, account: Account | undefined, cache: string): Promise<string> => {
  const template = join(cache, `template-${TEMPLATE_REVISION}-${programs.version}-${account?.name ?? 'own'}`);
  await buildOnce(template, (folder) => initCluster(programs, account, folder, { walSegmentMb: 4, databasesOfItsOwn: false }));
  return template;
};
