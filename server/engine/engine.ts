/** What every use case works with. Built once by server.ts. */
import type { Limits } from '../core/limits.js';
import type { TurnContext } from '../core/turn.js';
import type { Approvals } from '../storage/approvals.js';
import type { CompletionPages } from '../storage/completion-pages.js';
import type { Database } from '../storage/database.js';
import type { Histories } from '../storage/history.js';
import type { Listing } from '../storage/listing.js';
import type { Namespaces } from '../storage/namespaces.js';
import type { Outbox } from '../storage/outbox.js';
import type { Retention } from '../storage/retention.js';
import type { Queries } from '../storage/queries.js';
import type { QueuePolls } from '../storage/queue-polls.js';
import type { QueueReports } from '../storage/queue-reports.js';
import type { Runs } from '../storage/runs.js';
import type { TaskQueueConfigs } from '../storage/task-queue-configs.js';
import type { Tasks } from '../storage/tasks.js';
import type { Workers } from '../storage/workers.js';
import type { CallbackCalls } from './callback-calls.js';
import type { Committer } from './committer.js';
import type { Load } from './load/load.js';
import type { Courier } from './courier.js';
import type { HeldPoll } from './matching/poller.js';
import type { RemotePolls } from './matching/remote-polls.js';
import type { TaskQueues } from './matching/task-queues.js';
import type { NamespaceRegistry } from './namespace-registry.js';
import type { PendingQueries } from './pending-queries.js';
import type { RunCache } from './run-cache.js';
import type { SerialQueue } from './serial-queue.js';
import type { TimeSkipping } from './time-skipping.js';
import type { Interests } from './interests.js';
import type { KnownQueueConfigs } from './task-queue-configs.js';
import type { UpdateWaiters } from './update-waiters.js';
import type { Watchers } from './watchers.js';

export interface EngineLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export interface Ids {
  /** A random UUID. */
  newId(): string;
  /** A UUIDv7 that sorts after `after`. */
  newRunId(nowMs: number, after?: string): string;
}

export interface Engine {
  readonly nodeId: string;
  readonly log: EngineLog;
  /** The time that runs live by: in test mode it may jump. */
  readonly clock: Clock;
  /** Real time: what callers, polls and nodes wait by. */
  readonly wall: Clock;
  readonly ids: Ids;
  readonly limits: Limits;
  readonly database: Database;
  readonly namespaces: Namespaces;
  readonly runs: Runs;
  readonly histories: Histories;
  readonly tasks: Tasks;
  readonly retention: Retention;
  readonly approvals: Approvals;
  readonly outbox: Outbox;
  readonly listing: Listing;
  readonly committer: Committer;
  /** Delivers messages to other runs once their commit is through. */
  readonly courier: Courier;
  /** Calls completion callbacks. */
  readonly callbacks: CallbackCalls;
  readonly cache: RunCache;
  /** What lets calls in. */
  readonly load: Load;
  readonly serial: SerialQueue;
  readonly queues: TaskQueues;
  readonly watchers: Watchers;
  /** Runs that callers at other nodes wait for. */
  readonly interests: Interests;
  readonly updates: UpdateWaiters;
  readonly registry: NamespaceRegistry;
  readonly queries: PendingQueries;
  readonly sharedQueries: Queries;
  readonly queuePolls: QueuePolls;
  readonly remotePolls: RemotePolls;
  /** The clock of test mode; undefined on every other server. */
  readonly timeSkipping?: TimeSkipping | undefined;
  readonly queueReports: QueueReports;
  readonly queueConfigs: KnownQueueConfigs;
  readonly storedQueueConfigs: TaskQueueConfigs;
  readonly workers: Workers;
  readonly completionPages: CompletionPages;
  /** Longest wait of a long poll, in milliseconds. */
  readonly longPollMs: number;
  /** A turn's view of the world at this moment. */
  turnContext(): TurnContext;
  /** A run here has a deadline at that moment: the timer loop must not sleep past it. */
  deadlineAt(ms: number): void;
  /** A message to another run may lie in the outbox at that moment: the loop that looks for it must not sleep past it. */
  messagesAt(ms: number): void;
  /** The database was lost with the commit that hands tasks of a run to these polls: what becomes of them shows when it answers again. */
  unsettled(runId: string, held: readonly HeldPoll[]): void;
  /** Data of a deleted namespace waits to be removed. */
  sweepSoon(): void;
  /** Whether other nodes work on the same database. */
  otherNodes(): boolean;
  /** How long, in milliseconds, a loop may sleep that is told of what this node stores: longer where nobody can have stored anything else. */
  lookMs(): number;
  /** Tells other nodes that something changed (a hint). */
  notify(change: Change): void;
}

/** What a node tells the others. */
export type Change =
  | { kind: 'tasks'; namespaceId: string; task: 1 | 2; queue: string }
  /** A run has changed, and is so far; left out where that is not known. */
  | { kind: 'run'; runId: string; open?: boolean; nextEventId?: number }
  /** Somebody waits for a run to change, or to end. */
  | { kind: 'watch'; runId: string; closeOnly: boolean; untilMs: number }
  | { kind: 'namespaces' }
  /** What operators set for task queues. */
  | { kind: 'queue-configs' }
  /** Whoever says so has just come. */
  | { kind: 'node-started' }
  /** A query waits for the run's next workflow task. */
  | { kind: 'query-rides'; runId: string; untilMs: number }
  /** A query waits for a poller of a queue. */
  | { kind: 'query-offered'; queryId: string; runId: string; namespaceId: string; queue: string; sticky: boolean; untilMs: number }
  /** An answer lies ready for the node that asked. */
  | { kind: 'query-answered'; queryId: string }
  | { kind: 'queue-shut-down'; namespaceId: string; task: 1 | 2; queue: string }
  | { kind: 'worker-shut-down'; workerInstanceKey: string };
