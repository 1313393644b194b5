/** What the machine uses of its memory and CPU. */
import os from 'node:os';

/** Shares, 0 to 1. */
export interface ResourceUsage {
  memory: number;
  cpu: number;
}

const MIN_MS = 50;

/** Measures; CPU since the last time. */
export class MachineUsage {
  private lastTimes = cpuTimes();
  private lastCpu = 0;

  measure(): ResourceUsage {
    const times = cpuTimes();
    const total = times.total - this.lastTimes.total;
    // Times move in steps of some milliseconds: over less the share would be chance.
    if (total >= MIN_MS * os.cpus().length) {
      this.lastCpu = (times.busy - this.lastTimes.busy) / total;
      this.lastTimes = times;
    }
    return { memory: memoryUsage(), cpu: this.lastCpu };
  }
}

function cpuTimes(): { busy: number; total: number } {
  let busy = 0;
  let total = 0;
  for (const { times } of os.cpus()) {
    const sum = times.user + times.nice + times.sys + times.irq + times.idle;
    total += sum;
    busy += sum - times.idle;
  }
  return { busy, total };
}

/** Of the container's memory where there is a limit, else of the machine's. */
function memoryUsage(): number {
  const limit = process.constrainedMemory() ?? 0;
  if (limit > 0 && limit < os.totalmem()) return process.memoryUsage.rss() / limit;
  return 1 - os.freemem() / os.totalmem();
}
