/** Where things of the embedded PostgreSQL lie: its cache, the data that lasts, the data that does not, its socket. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, chown, lstat, mkdir, mkdtemp, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join, resolve, sep } from 'node:path';
import type { Account } from './account.js';

/** Longest path of a unix socket on every system, with room for PostgreSQL's file name in it. */
const LONGEST_SOCKET_FOLDER = 80;

/** True if the account may pass through every folder above (and at) that path. Access lists are not looked at. */
export const canReach = async (account: Account | undefined, path: string): Promise<boolean> => {
  if (account === undefined) return true;
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const info = await stat(folder).catch(() => undefined);
    if (info !== undefined) {
      const bit = info.uid === account.uid ? 0o100 : info.gid === account.gid ? 0o010 : 0o001;
      if ((info.mode & bit) === 0) return false;
    }
    if (folder === dirname(folder)) return true;
  }
};

/** A folder that this process owns and nobody else may write to; made when missing. Undefined when there is no way to have it. */
const ownFolder = async (path: string, mode: number): Promise<string | undefined> => {
  try {
    await mkdir(path, { recursive: true, mode });
    const info = await lstat(path);
    if (!info.isDirectory() || info.uid !== process.getuid?.() || (info.mode & 0o022) !== 0) return undefined;
    await access(path, constants.W_OK);
    if ((info.mode & 0o777) !== mode) await chmod(path, mode); // the umask may have taken bits away
    return path;
  } catch {
    return undefined;
  }
};

/** The first of some folders that can be had. */
const firstOf = async (candidates: readonly string[], mode: number, account: Account | undefined): Promise<string> => {
  for (const candidate of candidates) {
    const folder = await ownFolder(candidate, mode);
    if (folder !== undefined && (await canReach(account, folder))) return folder;
  }
  throw new Error(`No folder for the embedded PostgreSQL: tried ${candidates.join(', ')}.`);
};

const temporaryRoots = (): string[] => [...new Set([tmpdir(), '/tmp', '/var/tmp'])];

/** Where what is made once per machine and user is kept: the template cluster, and a copy of the programs if they cannot be used in place. */
export const cacheFolder = (account: Account | undefined): Promise<string> => {
  if (account !== undefined) return firstOf(['/var/cache/perdure', ...temporaryRoots().map((root) => join(root, 'perdure-cache-root'))], 0o755, account);
  const home = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return firstOf([join(home, 'perdure'), ...temporaryRoots().map((root) => join(root, `perdure-cache-${process.getuid?.() ?? 'user'}`))], 0o700, account);
};

/** Hands a path to the account, if there is one. */
export const give = async (path: string, account: Account | undefined): Promise<void> => {
  if (account !== undefined) await chown(path, account.uid, account.gid);
};

export const EPHEMERAL_PREFIX = 'perdure-pg-';

/** The folder above those of clusters that do not last. */
export const ephemeralRoot = async (account: Account | undefined): Promise<string> => {
  for (const root of temporaryRoots()) {
    if ((await canReach(account, root)) && root.length < LONGEST_SOCKET_FOLDER - 20 && (await access(root, constants.W_OK).then(() => true, () => false)))
      return realpath(root);
  }
  throw new Error(`No temporary folder that an embedded PostgreSQL can use: tried ${temporaryRoots().join(', ')}.`);
};

/** A new folder for a cluster that does not last; holds its data and its socket. */
export const makeEphemeralFolder = async (account: Account | undefined): Promise<string> => {
  const folder = await mkdtemp(join(await ephemeralRoot(account), EPHEMERAL_PREFIX));
  await give(folder, account);
  return folder;
};

export interface LastingFolder {
  /** Absolute, without symbolic links. */
  readonly path: string;
  /** Set when the wanted folder cannot be used: why the data lies elsewhere. */
  readonly note?: string;
}

/** A word that tells the clusters in one folder apart: the nearest folder above whose name is not hidden. */
const projectOf = (path: string): string => {
  const names = dirname(path).split(sep).reverse();
  return names.find((name) => name !== '' && !name.startsWith('.')) ?? basename(path);
};

/** Name of the note, in the wanted folder, that says where the data really lies. */
const ELSEWHERE = 'data-lies-elsewhere.txt';

/**
 * The folder of a cluster that lasts, made when missing. Below a home that is closed to others the account could never reach it, so then the data goes to
 * /var/lib/perdure, and a note in the wanted folder says so; without that note (say, a deleted folder) a new place is chosen, so that nothing old reappears.
 */
export const lastingFolder = async (wanted: string, account: Account | undefined): Promise<LastingFolder> => {
  const existing = await stat(wanted).catch(() => undefined);
  if (existing?.isFile() === true) throw new Error(`Expected a folder for the database at ${wanted}, got a file. Perdure keeps a PostgreSQL cluster there; name another path.`);
  await mkdir(wanted, { recursive: true, mode: 0o700 });
  const path = await realpath(wanted);
  if (await canReach(account, dirname(path))) {
    await chmod(path, 0o700);
    await give(path, account);
    return { path };
  }
  const note = `${dirname(path)} is closed to the account "${account?.name}" that PostgreSQL runs as`;
  const known = await readFile(join(path, ELSEWHERE), 'utf8').catch(() => '');
  const parent = await firstOf(['/var/lib/perdure', '/var/tmp/perdure-root'], 0o755, account);
  const place = known.trim() !== '' && (await stat(known.trim()).catch(() => undefined)) !== undefined ? known.trim() : await mkdtemp(join(parent, `${projectOf(path)}-`));
  await writeFile(join(path, ELSEWHERE), `${place}\n`);
  await give(place, account);
  return { path: await realpath(place), note };
};

/** A folder for the socket of a cluster that lasts: inside the cluster's own when its path is short enough, and the same at every start. */
export const socketFolder = async (clusterFolder: string, account: Account | undefined): Promise<string> => {
  const inside = join(clusterFolder, 'socket');
  if (Buffer.byteLength(inside) <= LONGEST_SOCKET_FOLDER) {
    await mkdir(inside, { recursive: true, mode: 0o700 });
    await give(inside, account);
    return inside;
  }
  const name = createHash('sha256').update(clusterFolder).digest('hex').slice(0, 16);
  const outside = join(await ephemeralRoot(account), `perdure-socket-${name}`);
  await mkdir(outside, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const info = await lstat(outside);
  const owners = [process.getuid?.(), account?.uid];
  if (!info.isDirectory() || !owners.includes(info.uid) || (info.mode & 0o077) !== 0) throw new Error(`${outside} should be a folder of this user's own; it is somebody else's. Remove it.`);
  await give(outside, account);
  return outside;
};
