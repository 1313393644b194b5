/** Which host this is, as far as process ids go, and which processes of it are alive. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

const attempt = (read: () => string): string => {
  try {
    return read().trim();
  } catch {
    return '';
  }
};

/**
 * A process id says something only to those who see the same processes: containers may share a name and not their processes, machines may be called
 * the same. So it is the name, the boot of the machine, and where Linux keeps them apart the room in which the process ids are counted.
 */
export const thisHost = (): string =>
  [hostname(), attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')), attempt(() => readlinkSync('/proc/self/ns/pid'))].filter(Boolean).join(' ');

/** Whether there is such a process on this host. One that only waits to be buried by its parent is dead. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const state = stat.charAt(stat.lastIndexOf(')') + 2); // what comes before it is the command's name
  return state !== 'Z' && state !== 'X';
}
