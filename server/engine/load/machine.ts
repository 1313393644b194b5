/** How much of its processors' time the machine spends working, where that can be told: an engine that waits for a processor looks idle from within. */
import { readFileSync } from 'node:fs';
import os from 'node:os';

interface Times {
  readonly busy: number;
  readonly all: number;
}

/** Sums over all processors. Reading one line of /proc costs a fraction of what the portable way does. */
function times(): Times {
  if (process.platform === 'linux') {
    try {
      const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = readFileSync('/proc/stat', 'latin1')
        .slice(3, 200)
        .trim()
        .split(/\s+/, 8)
        .map(Number);
      const busy = user + nice + system + irq + softirq + steal;
      return { busy, all: busy + idle + iowait };
    } catch {
      // no /proc: as elsewhere
    }
  }
  let busy = 0;
  let idle = 0;
  for (const { times: t } of os.cpus()) {
    busy += t.user + t.nice + t.sys + t.irq;
    idle += t.idle;
  }
  return { busy, all: busy + idle };
}

/** What is reported between two readings of the clock that are too near to say anything. */
const APART_MS = 400;

export class Machine {
  private before = times();
  private readMs = 0;
  private share = 0;

  constructor(private readonly now: () => number) {}

  /** Share of the processors' time that was worked, 0 to 1, over the last half second or so. */
  utilization(): number {
    const nowMs = this.now();
    if (nowMs - this.readMs < APART_MS) return this.share;
    const after = times();
    const all = after.all - this.before.all;
    if (all > 0) this.share = (after.busy - this.before.busy) / all;
    this.before = after;
    this.readMs = nowMs;
    return this.share;
  }
}
