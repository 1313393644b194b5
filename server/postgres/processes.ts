/** Which process is which: a process id alone says little after a reboot, in a new container, or once ids come round again. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch {
    return undefined;
  }
};

const ps = (column: string, pid: number): string | undefined =>
  attempt(() => execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim());

/** True if a process of that id exists, whoever owns it. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** A text that no other process ever has: the id and the moment of its start. Undefined when there is no such process. */
export const identityOf = (pid: number): string | undefined => {
  if (!isAlive(pid)) return undefined;
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (stat === undefined) return named(pid, ps('lstart', pid));
  // what follows the command's name, which is in parentheses and may hold spaces: the state first, the start time as the 20th
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : named(pid, fields[19]); // one that only waits to be buried is dead
};

const named = (pid: number, started: string | undefined): string | undefined => (started === undefined || started === '' ? undefined : `${pid} ${started}`);

/** True if the process with that identity still runs. */
export const stillRuns = (identity: string): boolean => identity !== '' && identityOf(Number.parseInt(identity, 10)) === identity;

/** The id of the PostgreSQL that runs on a data directory, by its `postmaster.pid`; undefined when that file is missing, stale, or names a foreign process. */
export const postmasterOf = (dataDirectory: string): number | undefined => {
  const pid = Number.parseInt(attempt(() => readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8')) ?? '', 10);
  if (!(pid > 0) || !isAlive(pid)) return undefined;
  const folder = attempt(() => readlinkSync(`/proc/${pid}/cwd`)); // PostgreSQL works in its data directory
  if (folder !== undefined) return folder === dataDirectory ? pid : undefined;
  return ps('command', pid)?.includes(dataDirectory) === true ? pid : undefined;
};
