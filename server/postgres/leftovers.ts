/** What earlier embedded PostgreSQLs may have left when their watchdog was killed too: servers without an owner, folders that were not meant to last. */
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Account } from './account.js';
import { EPHEMERAL_PREFIX, ephemeralRoot } from './places.js';
import { identityOf, postmasterOf, stillRuns } from './processes.js';

/** How long the watchdog of a process that ended gets to stop PostgreSQL by itself. */
const WATCHDOG_GRACE_MS = 15_000;
/** A folder without an owner is either just being made or was left by a process killed at that moment. */
const UNOWNED_MS = 600_000;

const ownerFile = (folder: string): string => join(folder, 'owner');

/** Notes in the cluster's folder that this process uses it. */
export const writeOwner = (folder: string): Promise<void> => writeFile(ownerFile(folder), identityOf(process.pid) ?? '');

const readOwner = (folder: string): Promise<string> => readFile(ownerFile(folder), 'utf8').catch(() => '');

/**
 * Returns once no PostgreSQL runs on the data: waits for one that is being stopped, stops one that nobody owns any more.
 * @throws when a living process other than this one uses it
 */
export const waitUntilFree = async (folder: string, dataDirectory: string, say: (text: string) => void): Promise<void> => {
  const started = Date.now();
  let said = false;
  let asked = false;
  for (;;) {
    const pid = postmasterOf(dataDirectory);
    if (pid === undefined) break;
    const owner = await readOwner(folder);
    if (owner !== '' && stillRuns(owner) && owner !== identityOf(process.pid)) {
      throw new Error(`The database at ${dataDirectory} is in use by process ${Number.parseInt(owner, 10)}. Stop that one, or name another folder.`);
    }
    if (!said) say(`waiting for the PostgreSQL (process ${pid}) of an earlier start to end`);
    said = true;
    if (!asked && Date.now() - started > WATCHDOG_GRACE_MS) {
      asked = true;
      process.kill(pid, 'SIGINT');
    }
    if (Date.now() - started > 4 * WATCHDOG_GRACE_MS) throw new Error(`The PostgreSQL with process id ${pid} does not let go of ${dataDirectory}. Stop it by hand.`);
    await sleep(20);
  }
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
    const owner = await readOwner(folder);
    if (owner === '' ? Date.now() - info.mtimeMs < UNOWNED_MS : stillRuns(owner)) continue;
    const pid = postmasterOf(join(folder, 'data'));
    if (pid !== undefined) {
      process.kill(pid, 'SIGQUIT');
      while (postmasterOf(join(folder, 'data')) === pid) await sleep(20);
    }
    await rm(folder, { recursive: true, force: true });
  }
};
