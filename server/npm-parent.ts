/**
 * npm and npx start a program below a shell of their own. Killed, they leave both behind, without anyone who would stop them: so a program that serves
 * watches for the end of the npm that it was started by. Started in any other way, it watches nothing.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { identityOf, stillRuns } from './postgres/processes.js';

const LOOK_EVERY_MS = 500;
/** npm, a shell, perhaps another shell of the user's script. */
const FARTHEST = 4;

interface Ancestor {
  readonly parent: number;
  readonly command: string;
}

const look = (pid: number): Ancestor | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return { parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]), command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') };
  } catch {
    return lookByPs(pid);
  }
};

const lookByPs = (pid: number): Ancestor | undefined => {
  try {
    const [, parent, command] = /^\s*(\d+)\s+(.*)$/s.exec(execFileSync('ps', ['-o', 'ppid=,command=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })) ?? [];
    return parent === undefined || command === undefined ? undefined : { parent: Number(parent), command };
  } catch {
    return undefined;
  }
};

/** npm calls its process `npm exec …`, `npm start` and the like. */
const findNpm = (): number | undefined => {
  let pid = process.ppid;
  for (let level = 0; level < FARTHEST && pid > 1; level++) {
    const found = look(pid);
    if (found === undefined) return undefined;
    if (/^np[mx]( |$)|\/np[mx](-cli\.js)?( |$)/.test(found.command)) return pid;
    pid = found.parent;
  }
  return undefined;
};

/** Calls back once when the npm that started this process is gone. Returns a function that ends the watch. */
export const onNpmGone = (callback: () => void): (() => void) => {
  const npm = process.env['npm_execpath'] === undefined ? undefined : findNpm();
  const identity = npm === undefined ? undefined : identityOf(npm);
  if (identity === undefined) return () => undefined;
  const timer = setInterval(() => {
    if (stillRuns(identity)) return;
    clearInterval(timer);
    callback();
  }, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
};
