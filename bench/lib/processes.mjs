/** CPU time and memory of processes, from /proc. Linux only; elsewhere the figures are left out. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const ticksPerSecond = () => {
  try {
    return Number(execFileSync('getconf', ['CLK_TCK']).toString()) || 100;
  } catch {
    return 100;
  }
};
const MS_PER_TICK = 1000 / ticksPerSecond();

/** Fields of /proc/<pid>/stat after the command, which may hold spaces and brackets. */
function stat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const close = text.lastIndexOf(')');
    const fields = text.slice(close + 2).split(' ');
    return {
      name: text.slice(text.indexOf('(') + 1, close),
      parent: Number(fields[1]),
      ticks: Number(fields[11]) + Number(fields[12]),
      childTicks: Number(fields[13]) + Number(fields[14]),
    };
  } catch {
    return undefined;
  }
}

const pids = () => {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return []; // no such place on this system
  }
};

/** All processes: pid -> stat. */
function snapshot() {
  const all = new Map();
  for (const pid of pids()) {
    const found = stat(pid);
    if (found) all.set(Number(pid), found);
  }
  return all;
}

/** A process and all that it started, or one of those started. */
function familyOf(root, all) {
  const family = new Set([root]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const [pid, { parent }] of all) {
      if (family.has(parent) && !family.has(pid)) {
        family.add(pid);
        grown = true;
      }
    }
  }
  return family;
}

/** CPU milliseconds of a process so far; undefined when it is gone. */
export function cpuMs(pid) {
  const found = pid === undefined ? undefined : stat(pid);
  return found && found.ticks * MS_PER_TICK;
}

/** The parent of a process, if it can be seen here and is a PostgreSQL. */
export function postmasterOf(backendPid) {
  const backend = stat(backendPid);
  return backend?.name === 'postgres' && stat(backend.parent)?.name === 'postgres' ? backend.parent : undefined;
}

/**
 * CPU milliseconds of the PostgreSQL below `root`; when there is none below it, of the only one of the machine. Where there are several it cannot be known which,
 * and it is undefined. Ended backends count too.
 */
export function postgresCpuMs(root) {
  const all = snapshot();
  const isPostgres = (pid) => all.get(pid)?.name === 'postgres';
  const family = root === undefined ? undefined : familyOf(root, all);
  let servers = [...all.keys()].filter((pid) => isPostgres(pid) && family?.has(pid));
  if (servers.length === 0) {
    servers = [...all.keys()].filter(isPostgres);
    if (servers.filter((pid) => !isPostgres(all.get(pid).parent)).length !== 1) return undefined;
  }
  return servers.reduce((sum, pid) => sum + all.get(pid).ticks + all.get(pid).childTicks, 0) * MS_PER_TICK;
}

/** CPU milliseconds of a process and all below it that are not PostgreSQL, those that ended included. */
export function familyCpuMs(root) {
  const all = snapshot();
  if (root === undefined || !all.has(root)) return undefined;
  let ticks = 0;
  for (const pid of familyOf(root, all)) {
    const found = all.get(pid);
    if (found && found.name !== 'postgres') ticks += found.ticks + (pid === root ? found.childTicks : 0);
  }
  return ticks * MS_PER_TICK;
}

/** Resident memory of a process and all below it that are not PostgreSQL, in MiB. */
export function familyResidentMiB(root) {
  const all = snapshot();
  if (root === undefined || !all.has(root)) return undefined;
  let sum = 0;
  for (const pid of familyOf(root, all)) if (all.get(pid)?.name !== 'postgres') sum += residentMiB(pid) ?? 0;
  return sum;
}

/** Resident memory in MiB. */
export function residentMiB(pid) {
  try {
    const match = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return match ? Number(match[1]) / 1024 : undefined;
  } catch {
    return undefined;
  }
}

/** The process that listens on a TCP port of this machine, if it may be seen. */
export function listenerOf(port) {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    try {
      for (const line of readFileSync(table, 'utf8').split('\n').slice(1)) {
        const fields = line.trim().split(/\s+/);
        if (fields[1]?.endsWith(`:${hex}`) && fields[3] === '0A') inodes.add(fields[9]);
      }
    } catch {
      // No such table here.
    }
  }
  for (const pid of pids()) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        const match = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`));
        if (match && inodes.has(match[1])) return Number(pid);
      }
    } catch {
      // Another user's process, or one that just ended.
    }
  }
  return undefined;
}
