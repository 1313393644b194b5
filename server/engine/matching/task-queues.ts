/**
 * Where waiting pollers and ready tasks meet on this node. A task that is made while a poller waits is given to it by the commit that makes it.
 * Otherwise it lies in the database, and a poller that comes asks for it; `maybeBacklog` keeps idle polls from asking in vain.
 * A queue with a rate limit hands out what the limit lets go, and looks again when it lets go more.
 */
import { MIDDLE_RANK, type TaskRank } from '../../core/priority.js';
import type { TaskQueueConfig } from '../../core/task-queue-config.js';
import type { QueuePoll } from '../../storage/queue-polls.js';
import { queueKey as key, type QueueName, type StoredTask } from '../../storage/tasks.js';
import { BacklogFetch, type FetchWorld, keptMax } from './backlog-fetch.js';
import { GoneWorkers } from './gone-workers.js';
import { Poller, type PollerInfo } from './poller.js';
import { type DirectTask, Queue } from './queue.js';

/** How long a node's claim on a task holds when the node dies. */
export const CLAIM_MS = 10_000;
/** A claim is not used in its last moments, when another node may already have the task. */
const CLAIM_MARGIN_MS = 3_000;
/** A queue that was polled here so lately will be polled again before a claim ends. */
const POLLED_LATELY_MS = 1_000;

const WORKFLOW_TASKS = 1;
const ACTIVITY_TASKS = 2;

/** A queue whose last poll is longer ago has no workers. */
export const POLLER_REMEMBERED_MS = 5 * 60_000;

/** What the queues need of the rest of the engine. */
export interface QueueWorld extends FetchWorld {
  /** Starts a stored task for a poller. */
  readonly start: (queue: QueueName, task: StoredTask, poller: Poller) => void;
  readonly configOf: (queue: QueueName) => TaskQueueConfig;
  /** Nodes at which a queue is polled, this one among them. */
  readonly nodesPolling: (queue: QueueName) => number;
  /** A poll waits at that queue (a key), or tasks that were in its way are gone. */
  readonly pollCame: (queue: string) => void;
}

export class TaskQueues {
  private readonly queues = new Map<string, Queue>();
  private readonly gone: GoneWorkers;
  private readonly backlogs: BacklogFetch;
  /** Queues of which polls were promised in this turn of the event loop, once for each. */
  private readonly promising: Queue[] = [];

  constructor(
    private readonly now: () => number,
    private readonly world: QueueWorld,
  ) {
    this.gone = new GoneWorkers(now);
    this.backlogs = new BacklogFetch(world, (queue) => this.pump(queue));
  }

  /** Adds a long poll to a queue. */
  wait(name: QueueName, info: PollerInfo): Poller {
    const queue = this.queue(name);
    const poller = new Poller(info);
    if (this.gone.has(info.workerInstanceKey)) {
      poller.end(undefined);
      return poller;
    }
    queue.seen(info);
    if (this.serve(queue, poller)) {
      if (queue.kept.size === 0) this.tellOfRoom(name);
      return poller;
    }
    queue.waiting.push(poller);
    queue.pace.waiting(queue.waiting.length);
    if (queue.maybeBacklog) this.backlogs.start(queue);
    else if (name.kind === WORKFLOW_TASKS) this.tellOfRoom(name);
    return poller;
  }

  /**
   * Whether a poll waits for the first task of a run that is about to begin at this queue (a key). If so it is promised to it until this turn of the
   * event loop ends, by when the run has taken it. Not while the worker has more to do than it takes: what was begun goes first.
   */
  promisePoll(at: string): boolean {
    const queue = this.queues.get(at);
    if (!queue || queue.waiting.length - queue.promised <= queue.pace.reserve || queue.limiter || queue.hasOlder) return false;
    if (this.queues.get(key({ ...queue.name, kind: ACTIVITY_TASKS }))?.hasOlder) return false;
    queue.promised++;
    if (this.promising.push(queue) === 1) setImmediate(() => this.endPromises());
    return true;
  }

  /** A run that began at a queue went on: its next task found a poll at once, or did not. */
  noteNext(name: QueueName, found: boolean): void {
    this.queues.get(key(name))?.pace.next(found);
  }

  private endPromises(): void {
    for (const queue of this.promising.splice(0)) queue.promised = 0;
  }

  private tellOfRoom(name: QueueName): void {
    this.world.pollCame(key(name.kind === WORKFLOW_TASKS ? name : { ...name, kind: WORKFLOW_TASKS }));
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

  /** Takes the poller that has waited longest, for a task that is made now; undefined when none waits here, or when the task must wait. */
  reserve(name: QueueName, task: TaskRank): Poller | undefined {
    const queue = this.queues.get(key(name));
    const poller = queue && this.take(queue, task);
    if (!poller) return undefined;
    if (queue.promised > 0) queue.promised--;
    queue.added(task.priority);
    queue.dispatched(task.priority);
    return poller;
  }

  /** Puts a reserved poller back in front: its task was lost to somebody else. */
  release(name: QueueName, poller: Poller): void {
    if (!poller.waiting) return;
    poller.reserved = false;
    poller.backlogAgeMs = undefined;
    poller.giveBack?.();
    poller.giveBack = undefined;
    if (poller.overdue || this.gone.has(poller.info.workerInstanceKey)) {
      poller.end(undefined);
      return;
    }
    const queue = this.queue(name);
    if (this.serve(queue, poller)) return;
    queue.waiting.unshift(poller);
    if (queue.maybeBacklog) this.backlogs.start(queue);
  }

  /** A task that is not stored: given to a poller now, or to the next that comes while it is alive. Says whether it was given. */
  offer(name: QueueName, task: DirectTask): boolean {
    const queue = this.queue(name);
    const poller = this.take(queue, MIDDLE_RANK);
    if (poller) {
      task.give(poller);
      return true;
    }
    queue.direct = queue.direct.filter((waiting) => waiting.alive());
    queue.direct.push(task);
    return false;
  }

  /** Whether a task that nobody waits for should be kept for the pollers of this node, which come back in a moment. */
  keeps(name: QueueName, { priority }: TaskRank): boolean {
    const queue = this.queues.get(key(name));
    if (!queue || queue.shutDown || queue.takesTurns(priority) || queue.limiter?.room === 0) return false;
    // older ones lie in the database: those go first
    if (queue.maybeBacklog || queue.fetching) return false;
    if (queue.kept.size >= keptMax(queue)) return false;
    return this.now() - queue.lastPollMs < POLLED_LATELY_MS;
  }

  /** Where a task that begins to wait stands among those of its level. */
  place(name: QueueName, task: TaskRank): number {
    return this.queue(name).place(task);
  }

  /** A task began to wait. */
  added(name: QueueName, priority: number): void {
    this.queue(name).added(priority);
  }

  /** Tasks were fetched; `all`: there were no more. */
  fetched(name: QueueName, tasks: readonly StoredTask[], all: boolean): void {
    this.queue(name).fetched(tasks, all);
  }

  /** Starts a claimed task for a poller that waits here; false when none does, or when the task must wait. */
  startNow(name: QueueName, task: StoredTask): boolean {
    const queue = this.queue(name);
    const poller = this.take(queue, task);
    if (poller) this.hand(queue, task, poller);
    return poller !== undefined;
  }

  /** A stored task that this node has claimed until a moment: that was said before the claim was written, which may have taken its time. */
  keep(name: QueueName, task: StoredTask, claimedUntilMs: number): void {
    if (this.startNow(name, task)) return;
    const queue = this.queue(name);
    queue.kept.add(task, claimedUntilMs - CLAIM_MARGIN_MS);
    if (queue.firstWaiting()) this.backlogs.arm(queue); // a limit holds it back
  }

  /** Takes back what this node has claimed and not handed out, so that others may have it. */
  takeKept(): StoredTask[] {
    return [...this.queues.values()].flatMap((queue) => queue.kept.drain());
  }

  /** Tasks of this queue may lie in the database (a commit put some there, or another node said so). */
  backlog(name: QueueName): void {
    const queue = this.queue(name);
    queue.maybeBacklog = true;
    queue.surelyBacklog = true;
    if (queue.waiting.length > 0) this.backlogs.start(queue);
  }

  /** Queues at which pollers wait without knowing of tasks: whoever calls looks for some, for all of them at once. At the others the next poll looks. */
  lookOver(): QueueName[] {
    this.forgetIdle();
    const idle: QueueName[] = [];
    for (const queue of this.queues.values()) {
      if (!queue.firstWaiting()) queue.maybeBacklog = true;
      else if (!queue.fetching) idle.push(queue.name);
    }
    return idle;
  }

  /** Every queue may have tasks: after a lost notification, or a reconnect. */
  backlogEverywhere(): void {
    this.forgetIdle();
    for (const queue of this.queues.values()) {
      queue.maybeBacklog = true;
      if (queue.waiting.length > 0) this.backlogs.start(queue);
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

  /** The queue as it is known here, if it is. */
  find(name: QueueName): Queue | undefined {
    return this.queues.get(key(name));
  }

  /** Queues that somebody may ask about. */
  get known(): Iterable<Queue> {
    return this.queues.values();
  }

  /** What operators set has changed, or the nodes among which limits are shared: what now may go goes. */
  refreshLimits(): void {
    for (const queue of this.queues.values()) {
      queue.configure(this.world.configOf(queue.name));
      if (queue.limitTimer) this.backlogs.disarm(queue);
      this.pump(queue);
    }
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
    for (const queue of this.queues.values()) {
      this.backlogs.disarm(queue);
      for (const poller of queue.waiting.splice(0)) poller.end(undefined);
    }
  }

  get waitingPolls(): number {
    let n = 0;
    for (const queue of this.queues.values()) n += queue.waiting.length;
    return n;
  }

  get keptTasks(): number {
    let n = 0;
    for (const queue of this.queues.values()) n += queue.kept.size;
    return n;
  }

  private queue(name: QueueName): Queue {
    const k = key(name);
    let queue = this.queues.get(k);
    if (!queue) {
      const { configOf, nodesPolling } = this.world;
      queue = new Queue(name, this.now, configOf(name), () => 1 / Math.max(1, nodesPolling(name)));
      this.queues.set(k, queue);
    }
    return queue;
  }

  /** Sticky queues come and go with their workers: one that nobody polled for long is forgotten, and so are workers that left a queue. */
  private forgetIdle(): void {
    const sinceMs = this.now() - POLLER_REMEMBERED_MS;
    for (const [k, queue] of this.queues) {
      if (queue.forgettable(sinceMs)) {
        this.backlogs.disarm(queue);
        this.queues.delete(k);
        continue;
      }
      for (const [identity, poller] of queue.pollers) if (poller.lastAccessMs < sinceMs) queue.pollers.delete(identity);
    }
  }

  /** A poller for a task, and the task's place in the limits of the queue. */
  private take(queue: Queue, task: TaskRank): Poller | undefined {
    if (!queue.firstWaiting()) return undefined;
    const giveBack = queue.admit(task);
    if (!giveBack) return undefined;
    const poller = queue.waiting.shift()!;
    poller.reserved = true;
    poller.giveBack = giveBack;
    return poller;
  }

  private hand(queue: Queue, task: StoredTask, poller: Poller): void {
    poller.backlogAgeMs = Math.max(0, this.now() - task.enqueuedMs);
    queue.dispatched(task.priority);
    this.world.start(queue.name, task, poller);
  }

  /** Gives a poller what this node holds for its queue. */
  private serve(queue: Queue, poller: Poller): boolean {
    const direct = queue.nextDirect();
    if (direct) {
      direct.give(poller);
      return true;
    }
    const kept = this.nextKept(queue);
    if (!kept) {
      if (queue.kept.size > 0) this.backlogs.arm(queue);
      return false;
    }
    poller.reserved = true;
    poller.giveBack = kept.permit;
    this.hand(queue, kept.task, poller);
    this.backlogs.startAhead(queue);
    return true;
  }

  private nextKept(queue: Queue): { task: StoredTask; permit: () => void } | undefined {
    return queue.kept.next(
      this.now(),
      (task) => queue.admit(task),
      () => {
        queue.maybeBacklog = true; // its claim ends; it is fetched like any other
      },
    );
  }

  /** Hands out what the limits let go now. */
  private pump(queue: Queue): void {
    for (let poller = queue.firstWaiting(); poller; poller = queue.firstWaiting()) {
      const kept = this.nextKept(queue);
      if (!kept) break;
      queue.waiting.shift();
      poller.reserved = true;
      poller.giveBack = kept.permit;
      this.hand(queue, kept.task, poller);
    }
    if (!queue.firstWaiting()) return;
    if (queue.kept.size > 0) this.backlogs.arm(queue);
    if (queue.maybeBacklog) this.backlogs.start(queue);
  }
}
