/** What this node knows of one task queue: who waits, what lies ready, how fast tasks come and go, and what limits them. */
import { effectiveWeight, FairOrder } from '../../core/fair-order.js';
import { HintBudget, pollerDelta } from '../../core/poller-scaling.js';
import type { TaskRank } from '../../core/priority.js';
import { RateMeter } from '../../core/rate-meter.js';
import { type EffectiveRate, effectiveRate, type TaskQueueConfig } from '../../core/task-queue-config.js';
import type { QueueName, StoredTask } from '../../storage/tasks.js';
import { KeptTasks } from './kept-tasks.js';
import type { Poller, PollerInfo } from './poller.js';
import { QueueLimiter } from './queue-limiter.js';
import { StartPace } from './start-pace.js';

/** Something that a poller can do and that is in no table: a query task. */
export interface DirectTask {
  readonly alive: () => boolean;
  /** Hands itself to the poller. */
  readonly give: (poller: Poller) => void;
}

interface SeenPoller {
  /** As of its latest poll. */
  info: PollerInfo;
  lastAccessMs: number;
}

/** Tasks a second, over the last half minute. */
export interface LevelRates {
  priority: number;
  added: number;
  dispatched: number;
}

interface Level {
  readonly order: FairOrder;
  readonly added: RateMeter;
  readonly dispatched: RateMeter;
}

const FREE = (): void => {};

export class Queue {
  waiting: Poller[] = [];
  direct: DirectTask[] = [];
  readonly kept = new KeptTasks();
  /** Tasks may lie in the database. */
  maybeBacklog = true;
  /** Tasks do. */
  surelyBacklog = false;
  fetching = false;
  /** Waiting polls that runs which are about to begin will take. */
  promised = 0;
  lastPollMs = 0;
  shutDown = false;
  readonly pollers = new Map<string, SeenPoller>();
  readonly pace: StartPace;
  limiter: QueueLimiter | undefined;
  /** Looks again when the limit lets something go. */
  limitTimer: NodeJS.Timeout | undefined;
  private config: TaskQueueConfig;
  private workerPerSecond: number | undefined;
  private readonly levels = new Map<number, Level>();
  private readonly hints = new HintBudget();

  constructor(
    readonly name: QueueName,
    private readonly now: () => number,
    config: TaskQueueConfig,
    /** What part of a limit this node may use. */
    private readonly share: () => number,
  ) {
    this.config = config;
    this.pace = new StartPace(now);
    this.setRates();
  }

  /** The poller that has waited longest. */
  firstWaiting(): Poller | undefined {
    while (this.waiting.length > 0 && !this.waiting[0]!.waiting) this.waiting.shift();
    return this.waiting[0];
  }

  /** Tasks wait for its polls. */
  get hasOlder(): boolean {
    return this.kept.size > 0 || this.surelyBacklog || this.fetching;
  }

  /** A worker polls: the latest says how fast the queue should be, if it says so. */
  seen(info: PollerInfo): void {
    this.lastPollMs = this.now();
    this.shutDown = false;
    const seen = this.pollers.get(info.identity);
    if (seen) {
      seen.info = info;
      seen.lastAccessMs = this.lastPollMs;
    } else this.pollers.set(info.identity, { info, lastAccessMs: this.lastPollMs });
    if (this.name.kind !== 2 || info.queuePerSecond === this.workerPerSecond) return;
    this.workerPerSecond = info.queuePerSecond;
    this.setRates();
  }

  configure(config: TaskQueueConfig): void {
    this.config = config;
    this.setRates();
  }

  /** Tasks a second that the latest poll asked for; undefined: as many as there are. */
  get workerRate(): number | undefined {
    return this.workerPerSecond;
  }

  get rate(): EffectiveRate {
    return effectiveRate(this.config, this.workerPerSecond);
  }

  setRates(): void {
    const { perSecond } = this.rate;
    const keyPerSecond = this.config.fairnessKey?.perSecond ?? undefined;
    if (perSecond === undefined && keyPerSecond === undefined) {
      this.limiter = undefined;
      return;
    }
    const share = this.share();
    const part = (rate: number | undefined): number | undefined => (rate === undefined ? undefined : rate * share);
    this.limiter ??= new QueueLimiter(this.now);
    this.limiter.setRates({ perSecond: part(perSecond), keyPerSecond: part(keyPerSecond), weights: this.config.weights });
  }

  /** Takes the place of a task in the limits; undefined when it must wait. */
  admit(task: TaskRank): (() => void) | undefined {
    return this.limiter ? this.limiter.take(task) : FREE;
  }

  /** Where a task that begins to wait stands among those of its level. */
  place(rank: TaskRank): number {
    return this.level(rank.priority).order.place(rank.key, effectiveWeight(rank, this.config.weights), this.now());
  }

  /** Whether tenants take turns on a level: its tasks then go out in the order of their places and not as they come. */
  takesTurns(priority: number): boolean {
    return this.levels.get(priority)?.order.takesTurns ?? false;
  }

  /** Tasks were fetched from the database; `all`: there were no more. */
  fetched(tasks: readonly StoredTask[], all: boolean): void {
    for (const { priority, place } of tasks) this.level(priority).order.served(place);
    if (all) for (const { order } of this.levels.values()) order.emptied();
  }

  added(priority: number): void {
    this.level(priority).added.add(this.now());
  }

  dispatched(priority: number): void {
    this.level(priority).dispatched.add(this.now());
  }

  /** Tasks a second that went out lately, of all levels. */
  get dispatchedPerS(): number {
    const nowMs = this.now();
    let perS = 0;
    for (const { dispatched } of this.levels.values()) perS += dispatched.perSecond(nowMs, 1_000);
    return perS;
  }

  get rates(): LevelRates[] {
    const nowMs = this.now();
    return [...this.levels].map(([priority, { added, dispatched }]) => ({
      priority,
      added: added.perSecond(nowMs),
      dispatched: dispatched.perSecond(nowMs),
    }));
  }

  /** Whether the worker should poll more (+1) or less (-1), now that its poll has got a task after waiting so long. */
  scalingHint({ backlogAgeMs }: Poller, waitedMs: number): number {
    const rateLimited = this.limiter?.heldLately ?? false;
    const facts = { waitedMs, backlogAgeMs, rateLimited, rates: () => this.wholeRates };
    return pollerDelta(facts, () => this.hints.take(this.pollers.size, this.now()));
  }

  private get wholeRates(): { added: number; dispatched: number } {
    const nowMs = this.now();
    const whole = { added: 0, dispatched: 0 };
    for (const { added, dispatched } of this.levels.values()) {
      whole.added += added.perSecond(nowMs);
      whole.dispatched += dispatched.perSecond(nowMs);
    }
    return whole;
  }

  /** Whether nothing of it is worth remembering: no worker polls it, nothing waits, and its rates are zero. */
  forgettable(sinceMs: number): boolean {
    this.direct = this.direct.filter((task) => task.alive()); // those that nobody waits for any more were left to the next poll
    const idle = this.waiting.length === 0 && this.direct.length === 0 && this.kept.size === 0 && !this.fetching;
    if (!idle || this.lastPollMs >= sinceMs) return false;
    const nowMs = this.now();
    return [...this.levels.values()].every(({ added, dispatched }) => added.idle(nowMs) && dispatched.idle(nowMs));
  }

  nextDirect(): DirectTask | undefined {
    while (this.direct.length > 0) {
      const task = this.direct.shift()!;
      if (task.alive()) return task;
    }
    return undefined;
  }

  private level(priority: number): Level {
    let level = this.levels.get(priority);
    if (!level) {
      const nowMs = this.now();
      level = { order: new FairOrder(), added: new RateMeter(nowMs), dispatched: new RateMeter(nowMs) };
      this.levels.set(priority, level);
    }
    return level;
  }
}
