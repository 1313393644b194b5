/** Makes a folder that many processes share and that is made only once: complete under its name, or not there at all. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf, stillRuns } from './processes.js';

/** How long to wait for another process that makes it, before making it here as well. */
const PATIENCE_MS = 10_000;

/**
 * Returns once `target` exists. Builds go to a folder beside it and are renamed into place, so doing it twice is harmless; the lock only saves the
 * work when dozens of servers start at once.
 * @param build fills the folder it is given, which does not exist yet
 */
export const buildOnce = async (target: string, build: (folder: string) => Promise<void>): Promise<void> => {
  const lock = `${target}.lock`;
  const deadline = Date.now() + PATIENCE_MS;
  let held = false;
  while (!existsSync(target) && !held && Date.now() < deadline) {
    held = await tryLock(lock);
    if (!held) await sleep(20);
  }
  if (existsSync(target)) {
    if (held) await rm(lock, { force: true });
    return;
  }
  const folder = `${target}.new-${process.pid}`;
  try {
    await rm(folder, { recursive: true, force: true });
    await build(folder);
    await rename(folder, target).catch((error: NodeJS.ErrnoException) => {
      if (!existsSync(target)) throw error; // otherwise another process was faster
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
    if (held) await rm(lock, { force: true });
  }
};

const tryLock = async (lock: string): Promise<boolean> => {
  try {
    await writeFile(lock, identityOf(process.pid) ?? '', { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const holder = await readFile(lock, 'utf8').catch(() => '');
  if (holder !== '' && !stillRuns(holder)) await rm(lock, { force: true });
  return false;
};

/** A folder with its parents, only for its owner unless `mode` says otherwise. */
export const makeFolder = (path: string, mode = 0o700): Promise<string | undefined> => mkdir(path, { recursive: true, mode });
