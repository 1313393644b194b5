/** What earlier embedded PostgreSQLs may have left when their watchdog was killed too: servers without an owner, folders that were not meant to last. */
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Account } from './account.js';
import { EPHEMERAL_PREFIX, ephemeralRoot } from './places.js';
import { identityOf, isAlive, postmasterOf, stillRuns } from './processes.js';

/** How long a PostgreSQL that was told to stop may take. */
const STOP_MS = 60_000;
/** A folder without an owner is either just being made or was left by a process killed at that moment. */
const UNOWNED_MS = 600_000;

const ownerFile = (folder: string): string => join(folder, 'owner');

/** Notes in the cluster's folder that this process uses it, and its watchdog once there is one. */
export const writeOwner = (folder: string, watchdog?: number): Promise<void> =>
  writeFile(ownerFile(folder), [process.pid, watchdog].map((pid) => (pid === undefined ? '' : (identityOf(pid) ?? ''))).join('\n'));

/** The identities in that note; empty texts when there are none. */
const readOwner = async (folder: string): Promise<{ owner: string; watchdog: string }> => {
  const [owner = '', watchdog = ''] = (await readFile(ownerFile(folder), 'utf8').catch(() => '')).split('\n');
  return { owner, watchdog };
};

/**
 * Returns once no PostgreSQL runs on the data: waits for one that is being stopped, stops one that nobody owns any more.
 * @throws when a living process other than this one uses it
 */
export const waitUntilFree = async (folder: string, dataDirectory: string, say: (text: string) => void): Promise<void> => {
  const deadline = Date.now() + STOP_MS;
  let told: number | undefined;
  let said = false;
  for (;;) {
    const pid = postmasterOf(dataDirectory);
    if (pid === undefined) return forgetForeign(dataDirectory);
    const { owner, watchdog } = await readOwner(folder);
    if (owner !== '' && stillRuns(owner) && owner !== identityOf(process.pid)) {
      throw new Error(`The database at ${dataDirectory} is in use by process ${Number.parseInt(owner, 10)}. Stop that one, or name another folder.`);
    }
    if (!said) say(`waiting for the PostgreSQL (process ${pid}) of an earlier start to end`);
    said = true;
    // its watchdog is about to stop it; without one nobody would
    if (told !== pid && !stillRuns(watchdog)) {
      told = pid;
      process.kill(pid, 'SIGINT');
    }
    if (Date.now() > deadline) throw new Error(`The PostgreSQL with process id ${pid} does not let go of ${dataDirectory}. Stop it by hand.`);
    await sleep(20);
  }
};

/** PostgreSQL forgives a stale `postmaster.pid` of a dead process only: an id that another process has by now would stop it from starting for ever. */
const forgetForeign = async (dataDirectory: string): Promise<void> => {
  const file = join(dataDirectory, 'postmaster.pid');
  const pid = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
  if (pid > 0 && isAlive(pid) && postmasterOf(dataDirectory) === undefined) await rm(file, { force: true });
};

/** Removes ephemeral clusters whose owner is gone, and stops their PostgreSQL if it runs. Another process doing the same does no harm. */
export const sweepEphemeral = async (account: Account | undefined): Promise<void> => {
  const root = await ephemeralRoot(account);
  const owners = [process.getuid?.(), account?.uid];
  for (const name of await readdir(root)) {
    if (!name.startsWith(EPHEMERAL_PREFIX)) continue;
    const folder = join(root, name);
    const info = await stat(folder).catch(() => undefined);
    if (info === undefined || !owners.includes(info.uid)) continue;
    const { owner, watchdog } = await readOwner(folder);
    if (stillRuns(watchdog)) continue; // it cleans up
    if (owner === '' ? Date.now() - info.mtimeMs < UNOWNED_MS : stillRuns(owner)) continue;
    const pid = postmasterOf(join(folder, 'data'));
    if (pid !== undefined) {
      process.kill(pid, 'SIGQUIT');
      while (postmasterOf(join(folder, 'data')) === pid) await sleep(20);
    }
    await rm(folder, { recursive: true, force: true });
  }
};
