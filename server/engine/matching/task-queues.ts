/**
 * Where waiting pollers and ready tasks meet on this node. A task that is made while a poller waits is given to it by the commit that makes it.
 * Otherwise it lies in the database, and a poller that comes asks for it; `maybeBacklog` keeps idle polls from asking in vain.
 */
import type { QueuePoll } from '../../storage/queue-polls.js';
import { type QueueName, queueKey as key, type StoredTask } from '../../storage/tasks.js';
import { GoneWorkers } from './gone-workers.js';
import { Poller, type PollerInfo } from './poller.js';

/** Something that a poller can do and that is in no table: a query task. */
export interface DirectTask {
  readonly alive: () => boolean;
  /** Hands itself to the poller. */
  readonly give: (poller: Poller) => void;
}

export interface SeenPoller extends PollerInfo {
  lastAccessMs: number;
}

interface KeptTask {
  task: StoredTask;
  /** The claim must not be relied on after this. */
  untilMs: number;
}

interface Queue {
  name: QueueName;
  waiting: Poller[];
  direct: DirectTask[];
  /** Stored tasks that this node has claimed for its own pollers, in the order in which they are handed out. */
  kept: KeptTask[];
  /** Tasks may lie in the database. */
  maybeBacklog: boolean;
  fetching: boolean;
  lastPollMs: number;
  pollers: Map<string, SeenPoller>;
  shutDown: boolean;
}

/** How long a node's claim on a task holds when the node dies. */
export const CLAIM_MS = 10_000;
/** A claim is not used in its last moments, when another node may already have the task. */
const CLAIM_MARGIN_MS = 3_000;
/** Tasks of one queue that a node keeps at most; more are left to whoever comes. */
const KEPT_MAX = 1_000;
/** A queue that was polled here so lately will be polled again before a claim ends. */
const POLLED_LATELY_MS = 1_000;

/** A queue whose last poll is longer ago has no workers. */
export const POLLER_REMEMBERED_MS = 5 * 60_000;

export class TaskQueues {
  private readonly queues = new Map<string, Queue>();
  private readonly gone: GoneWorkers;

  constructor(
    private readonly now: () => number,
    /** Called when pollers wait and tasks may lie in the database. */
    private readonly fetch: (queue: QueueName, wanted: number) => Promise<void>,
    /** Starts a stored task for a poller. */
    private readonly start: (queue: QueueName, task: StoredTask, poller: Poller) => void,
  ) {
    this.gone = new GoneWorkers(now);
  }

  /** Adds a long poll to a queue. */
  wait(name: QueueName, info: PollerInfo): Poller {
    const queue = this.queue(name);
    const poller = new Poller(info);
    if (this.gone.has(info.workerInstanceKey)) {
      poller.end(undefined);
      return poller;
    }
    this.seen(queue, info);
    queue.shutDown = false;
    if (this.serve(queue, poller)) return poller;
    queue.waiting.push(poller);
    if (queue.maybeBacklog) this.startFetch(queue);
    return poller;
  }

  /** The poll's time is up, or its caller went away. */
  leave(name: QueueName, poller: Poller): void {
    if (poller.reserved) {
      poller.overdue = true;
      return;
    }
    const queue = this.queues.get(key(name));
    const at = queue?.waiting.indexOf(poller) ?? -1;
    if (queue && at >= 0) queue.waiting.splice(at, 1);
    poller.end(undefined);
  }

  /** Takes the poller that has waited longest; undefined when none waits here. */
  reserve(name: QueueName): Poller | undefined {
    const queue = this.queues.get(key(name));
    while (queue && queue.waiting.length > 0) {
      const poller = queue.waiting.shift()!;
      if (poller.waiting) {
        poller.reserved = true;
        return poller;
      }
    }
    return undefined;
  }

  /** Puts a reserved poller back in front: its task was lost to somebody else. */
  release(name: QueueName, poller: Poller): void {
    if (!poller.waiting) return;
    poller.reserved = false;
    if (poller.overdue || this.gone.has(poller.info.workerInstanceKey)) {
      poller.end(undefined);
      return;
    }
    const queue = this.queue(name);
    if (this.serve(queue, poller)) return;
    queue.waiting.unshift(poller);
    if (queue.maybeBacklog) this.startFetch(queue);
  }

  /** A task that is not stored: given to a poller now, or to the next that comes while it is alive. Says whether it was given. */
  offer(name: QueueName, task: DirectTask): boolean {
    const poller = this.reserve(name);
    if (poller) {
      task.give(poller);
      return true;
    }
    const queue = this.queue(name);
    queue.direct = queue.direct.filter((waiting) => waiting.alive());
    queue.direct.push(task);
    return false;
  }

  /** Whether a task that nobody waits for should be kept for the pollers of this node, which come back in a moment. */
  keeps(name: QueueName): boolean {
    const queue = this.queues.get(key(name));
    return queue !== undefined && !queue.shutDown && queue.kept.length < KEPT_MAX && this.now() - queue.lastPollMs < POLLED_LATELY_MS;
  }

  /** Starts a claimed task for a poller that waits here; false when none does. */
  startNow(name: QueueName, task: StoredTask): boolean {
    const poller = this.reserve(name);
    if (poller) this.start(name, task, poller);
    return poller !== undefined;
  }

  /** A stored task that this node has claimed. */
  keep(name: QueueName, task: StoredTask): void {
    if (this.startNow(name, task)) return;
    const { kept } = this.queue(name);
    let at = kept.length;
    while (at > 0 && kept[at - 1]!.task.priority > task.priority) at--;
    kept.splice(at, 0, { task, untilMs: this.now() + CLAIM_MS - CLAIM_MARGIN_MS });
  }

  /** Takes back what this node has claimed and not handed out, so that others may have it. */
  takeKept(): StoredTask[] {
    return [...this.queues.values()].flatMap((queue) => queue.kept.splice(0).map((k) => k.task));
  }

  /** Tasks of this queue may lie in the database (a commit put some there, or another node said so). */
  backlog(name: QueueName): void {
    const queue = this.queue(name);
    queue.maybeBacklog = true;
    if (queue.waiting.length > 0) this.startFetch(queue);
  }

  /** Every queue may have tasks: after a lost notification, a reconnect, or from time to time. */
  backlogEverywhere(): void {
    this.forgetIdle();
    for (const queue of this.queues.values()) {
      queue.maybeBacklog = true;
      if (queue.waiting.length > 0) this.startFetch(queue);
    }
  }

  /** Milliseconds since a worker last polled this queue here; Infinity if none ever did or its worker said goodbye. */
  sinceLastPoll(name: QueueName): number {
    const queue = this.queues.get(key(name));
    if (!queue || queue.shutDown || queue.lastPollMs === 0) return Number.POSITIVE_INFINITY;
    return queue.waiting.length > 0 ? 0 : this.now() - queue.lastPollMs;
  }

  /** Queues that were polled here since, for other nodes to know. */
  polledSince(sinceMs: number): QueuePoll[] {
    const nowMs = this.now();
    return [...this.queues.values()]
      .map((queue) => ({ queue: queue.name, lastPollMs: queue.waiting.length > 0 ? nowMs : queue.lastPollMs, shutDown: queue.shutDown }))
      .filter((poll) => !poll.shutDown && poll.lastPollMs >= sinceMs);
  }

  /** Workers that polled lately. */
  pollersOf(name: QueueName): SeenPoller[] {
    const since = this.now() - POLLER_REMEMBERED_MS;
    return [...(this.queues.get(key(name))?.pollers.values() ?? [])].filter((p) => p.lastAccessMs >= since);
  }

  /** Its worker goes away: waiting polls are answered empty, and the queue counts as never polled. */
  shutDown(name: QueueName): void {
    const queue = this.queues.get(key(name));
    if (!queue) return;
    queue.shutDown = true;
    for (const poller of queue.waiting.splice(0)) poller.end(undefined);
  }

  /** A worker instance goes away: its waiting polls end, on every queue, and so do those that are still on their way. */
  endPollsOf(workerInstanceKey: string): void {
    this.gone.add(workerInstanceKey);
    for (const queue of this.queues.values()) {
      for (const poller of queue.waiting.filter((p) => p.info.workerInstanceKey === workerInstanceKey)) {
        queue.waiting.splice(queue.waiting.indexOf(poller), 1);
        poller.end(undefined);
      }
    }
  }

  /** Ends every waiting poll (the server stops). */
  close(): void {
    for (const queue of this.queues.values()) for (const poller of queue.waiting.splice(0)) poller.end(undefined);
  }

  get waitingPolls(): number {
    let n = 0;
    for (const queue of this.queues.values()) n += queue.waiting.length;
    return n;
  }

  get keptTasks(): number {
    let n = 0;
    for (const queue of this.queues.values()) n += queue.kept.length;
    return n;
  }

  private queue(name: QueueName): Queue {
    const k = key(name);
    let queue = this.queues.get(k);
    if (!queue) {
      queue = {
        name,
        waiting: [],
        direct: [],
        kept: [],
        maybeBacklog: true,
        fetching: false,
        lastPollMs: 0,
        pollers: new Map(),
        shutDown: false,
      };
      this.queues.set(k, queue);
    }
    return queue;
  }

  private seen(queue: Queue, info: PollerInfo): void {
    queue.lastPollMs = this.now();
    const seen = queue.pollers.get(info.identity);
    if (seen) seen.lastAccessMs = queue.lastPollMs;
    else queue.pollers.set(info.identity, { ...info, lastAccessMs: queue.lastPollMs });
  }

  private nextDirect(queue: Queue): DirectTask | undefined {
    while (queue.direct.length > 0) {
      const task = queue.direct.shift()!;
      if (task.alive()) return task;
    }
    return undefined;
  }

  /** Sticky queues come and go with their workers: one that nobody polled for long is forgotten, and so are workers that left a queue. */
  private forgetIdle(): void {
    const sinceMs = this.now() - POLLER_REMEMBERED_MS;
    for (const [k, queue] of this.queues) {
      const idle = queue.waiting.length === 0 && queue.direct.length === 0 && queue.kept.length === 0 && !queue.fetching;
      if (idle && queue.lastPollMs < sinceMs) this.queues.delete(k);
      else for (const [identity, poller] of queue.pollers) if (poller.lastAccessMs < sinceMs) queue.pollers.delete(identity);
    }
  }

  /** Gives a poller what this node holds for its queue. */
  private serve(queue: Queue, poller: Poller): boolean {
    const direct = this.nextDirect(queue);
    if (direct) {
      direct.give(poller);
      return true;
    }
    for (let kept = queue.kept.shift(); kept; kept = queue.kept.shift()) {
      if (kept.untilMs > this.now()) {
        poller.reserved = true;
        this.start(queue.name, kept.task, poller);
        return true;
      }
      queue.maybeBacklog = true; // its claim ends; it is fetched like any other
    }
    return false;
  }

  private startFetch(queue: Queue): void {
    if (queue.fetching) return;
    queue.fetching = true;
    queue.maybeBacklog = false;
    const again = (): void => {
      queue.fetching = false;
      if (queue.maybeBacklog && queue.waiting.length > 0) this.startFetch(queue);
    };
    const failed = (): void => {
      queue.fetching = false;
      queue.maybeBacklog = true; // the sweep looks again, once the database answers
    };
    this.fetch(queue.name, queue.waiting.length).then(again, failed);
  }
}
