/**
 * How much a node has to do, measured a few times a second while there is something to do: how late the event loop is, how much of its time it
 * works, how long transitions wait for their commit and ready tasks for their workers, and how much memory is in use.
 */
import { performance } from 'node:perf_hooks';
import v8 from 'node:v8';
import { Machine } from './machine.js';
import type { LoadLimits } from './load-limits.js';

/** What one look found. */
export interface Sample {
  /** Time since the last look. */
  readonly elapsedMs: number;
  /** How much later than asked for the event loop came. */
  readonly lateMs: number;
  /** Share of the time since the last look in which the event loop worked, 0 to 1. */
  readonly utilization: number;
  /** Share of its processors' time in which the machine worked, 0 to 1. */
  readonly machine: number;
  /** How long the transition that has waited longest has waited for its commit. */
  readonly commitWaitMs: number;
  /** Ready tasks that lie in memory for pollers to come. */
  readonly tasksReady: number;
  readonly memoryBytes: number;
}

/** Where the node stands. */
export interface LoadState extends Sample {
  /** How long ready tasks wait: those that were handed out lately did, or those that lie ready will. */
  readonly taskWaitMs: number;
  /** Runs that were closed, a second. */
  readonly closedPerS: number;
  /** The event loop, or the machine, works nearly all the time. */
  readonly noTimeLeft: boolean;
  /** New work should wait: … */
  readonly busy: boolean;
  /** … because what was begun waits for workers, and there is no time left. */
  readonly behind: boolean;
  /** … or because the event loop or commits are late. */
  readonly late: boolean;
  /** Nothing new may be taken on. */
  readonly critical: boolean;
}

/** Weight of the newest sample in what is remembered. */
const NEWEST = 0.2;
/** The same for what must be noticed at once. */
const NEWEST_SHARE = 0.6;
/** Tasks that were handed out say something of the present for so many looks. */
const TASKS_REMEMBERED = 10;
/** Memory counts as short until it has fallen to this share of the limit. */
const RELIEVED = 0.9;

export class LoadMeter {
  state: LoadState = {
    elapsedMs: 0,
    closedPerS: 0,
    lateMs: 0,
    utilization: 0,
    machine: 0,
    commitWaitMs: 0,
    tasksReady: 0,
    memoryBytes: 0,
    taskWaitMs: 0,
    noTimeLeft: false,
    busy: false,
    behind: false,
    late: false,
    critical: false,
  };
  private taskWaits = { sumMs: 0, count: 0 };
  private looksSinceTask = 0;
  private waitedMs = 0;
  private closed = 0;

  constructor(private readonly limits: LoadLimits) {}

  /** A stored task was given to a worker so long after it was ready. */
  taskWaited(ms: number): void {
    this.taskWaits.sumMs += ms;
    this.taskWaits.count++;
  }

  runClosed(): void {
    this.closed++;
  }

  take(sample: Sample): LoadState {
    const { limits, state } = this;
    const utilization = state.utilization + NEWEST_SHARE * (sample.utilization - state.utilization);
    const machine = state.machine + NEWEST_SHARE * (sample.machine - state.machine);
    const lateMs = state.lateMs + NEWEST * (sample.lateMs - state.lateMs);
    const closedPerS =
      sample.elapsedMs > 0 ? state.closedPerS + NEWEST * ((this.closed / sample.elapsedMs) * 1_000 - state.closedPerS) : state.closedPerS;
    this.closed = 0;
    const taskWaitMs = this.taskWaitNow(sample);
    const noTimeLeft = utilization >= limits.loopShareMax || machine >= limits.machineShareMax;
    const behind = noTimeLeft && taskWaitMs > limits.taskWaitMsMax / 2;
    const late = lateMs > limits.loopDelayMsMax || sample.commitWaitMs > limits.commitWaitMsMax;
    const busy = behind || late;
    const critical = sample.memoryBytes > limits.memoryBytesMax * (state.critical ? RELIEVED : 1);
    this.state = { ...sample, lateMs, utilization, machine, closedPerS, taskWaitMs, noTimeLeft, busy, behind, late, critical };
    return this.state;
  }

  private taskWaitNow({ elapsedMs, tasksReady }: Sample): number {
    const { sumMs, count } = this.taskWaits;
    this.taskWaits = { sumMs: 0, count: 0 };
    if (count > 0) {
      this.looksSinceTask = 0;
      // what lies ready goes out as fast as the rest did: a line that grows is seen before those at its end are served
      this.waitedMs = Math.max(sumMs / count, elapsedMs * (tasksReady / count));
    } else if (++this.looksSinceTask > TASKS_REMEMBERED) this.waitedMs = 0;
    return this.waitedMs;
  }
}

const LOOK_MS = 100;
/** After so many looks without a call the clock stops: an idle node costs nothing. */
const QUIET_LOOKS = 20;
/** So many polls start a clock that has stopped: those of workers with nothing to do come once a minute each. */
const POLLS = 50;

/** Looks at this process as long as it is called upon. */
export class LoadClock {
  private timer: NodeJS.Timeout | undefined;
  private touched = false;
  private quiet = 0;
  private polls = 0;
  private dueMs = 0;
  private lookedMs = 0;
  private spent = performance.eventLoopUtilization();
  private readonly machine = new Machine(() => performance.now());

  constructor(
    private readonly parts: () => Pick<Sample, 'commitWaitMs' | 'tasksReady'>,
    private readonly onSample: (sample: Sample) => void,
  ) {}

  /** A call came; `polls`: one that does nothing until something happens. */
  touch(polls: boolean): void {
    if (this.timer) {
      this.touched = true;
      return;
    }
    if (polls && ++this.polls < POLLS) return;
    this.touched = true;
    this.polls = 0;
    this.quiet = 0;
    this.lookedMs = performance.now();
    this.spent = performance.eventLoopUtilization();
    this.next();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private next(): void {
    this.dueMs = performance.now() + LOOK_MS;
    this.timer = setTimeout(() => this.look(), LOOK_MS);
    this.timer.unref();
  }

  private look(): void {
    const nowMs = performance.now();
    const [elapsedMs, lateMs] = [nowMs - this.lookedMs, Math.max(0, nowMs - this.dueMs)];
    this.lookedMs = nowMs;
    const spent = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(spent, this.spent);
    this.spent = spent;
    const { used_heap_size: heap, external_memory: external } = v8.getHeapStatistics();
    this.onSample({
      elapsedMs,
      lateMs,
      utilization,
      machine: this.machine.utilization(),
      ...this.parts(),
      memoryBytes: heap + external,
    });
    this.quiet = this.touched ? 0 : this.quiet + 1;
    this.touched = false;
    if (this.quiet < QUIET_LOOKS) this.next();
    else this.timer = undefined;
  }
}
