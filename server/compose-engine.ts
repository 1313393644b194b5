/** The engine of one node: every part that use cases need, built and connected. */
import type { Config } from './config.js';
import { applyEvent } from './core/registry.js';
import { dynamicLimits } from './dynamic-limits.js';
import { Announcer } from './engine/announcer.js';
import { CallbackCalls } from './engine/callback-calls.js';
import { Committer } from './engine/committer.js';
import { courierOf } from './engine/deliver-messages.js';
import type { Clock, Engine, Ids } from './engine/engine.js';
import { Interests } from './engine/interests.js';
import { Load } from './engine/load/load.js';
import { DEFAULT_LOAD_LIMITS } from './engine/load/load-limits.js';
import { RemotePolls } from './engine/matching/remote-polls.js';
import { TaskQueues } from './engine/matching/task-queues.js';
import { NamespaceRegistry } from './engine/namespace-registry.js';
import { PendingQueries } from './engine/pending-queries.js';
import { RunCache } from './engine/run-cache.js';
import { SerialQueue } from './engine/serial-queue.js';
import { settleLater } from './engine/lost-hand-outs.js';
import { startTask, takeTasks } from './engine/take-tasks.js';
import { TimeSkipping } from './engine/time-skipping.js';
import { KnownQueueConfigs } from './engine/task-queue-configs.js';
import { UpdateWaiters } from './engine/update-waiters.js';
import { Watchers } from './engine/watchers.js';
import type { Logger } from './log.js';
import type { Loop } from './loops/loop.js';
import { Outage } from './loops/outage.js';
import { Approvals } from './storage/approvals.js';
import { Commits } from './storage/commit.js';
import { CompletionPages } from './storage/completion-pages.js';
import { Database } from './storage/database.js';
import { Histories } from './storage/history.js';
import { Listing } from './storage/listing.js';
import { Namespaces } from './storage/namespaces.js';
import { Outbox } from './storage/outbox.js';
import { Queries } from './storage/queries.js';
import { QueuePolls } from './storage/queue-polls.js';
import { QueueReports } from './storage/queue-reports.js';
import { Retention } from './storage/retention.js';
import { Runs } from './storage/runs.js';
import { TaskQueueConfigs } from './storage/task-queue-configs.js';
import { queueKey, Tasks } from './storage/tasks.js';
import { Workers } from './storage/workers.js';
import { postCallback } from './transport/http/post-callback.js';

const CACHED_RUNS = 10_000;
/** A node that did not look for longer, because it stood still, may have company by now. */
const LOOKED_LATELY_MS = 5_000;
/** How often loops look for what they were not told of: others store, or a statement whose answer was lost may have stored. */
const LOOK_MS = 1_000;
/** The same for a node that is alone and knows what it stored. */
const ALONE_LOOK_MS = 10_000;
/** For so long after a loss. */
const DOUBT_MS = 60_000;

/** What the loops of a node share with its engine: what it wakes, and what they find out for it. */
export interface NodeParts {
  readonly announcer: Announcer;
  readonly outage: Outage;
  /** There once the loops are built. */
  timers: Pick<Loop, 'wake' | 'wakeIn'> | undefined;
  outbox: Pick<Loop, 'wake' | 'wakeIn'> | undefined;
  /** Fires what is due of runs at once. */
  fireRuns: ((runIds: readonly string[]) => void) | undefined;
  sweeper: Pick<Loop, 'wake'> | undefined;
  /** When it was last seen whether there are other nodes, by real time. Infinity: nobody looks. */
  lookedMs: number;
  /** When a statement was last lost on its way, by real time. */
  lostMs: number;
}

/** Where the first tasks of runs at a queue lie, if the namespace is known here. */
function firstTaskAt({ registry }: Engine, namespace: string, queue: string): string | undefined {
  const known = registry.peek(namespace);
  return known && queueKey({ namespaceId: known.id, kind: 1, queue });
}

/** The engine of one node; it wakes no loop until there are some. Its clock is `wall`, unless the configuration asks for one that skips time. */
export function composeEngine(config: Config, log: Logger, wall: Clock, ids: Ids): { engine: Engine; parts: NodeParts } {
  const database = new Database({
    url: config.databaseUrl,
    poolSize: config.databasePoolSize,
    onError: ({ message }) => log.warn({ why: message }, 'a database connection was lost'),
    onLost: () => lost(parts, wall),
  });
  const limits = dynamicLimits(config.dynamicConfig);
  const commits = new Commits(database);
  const nodeId = ids.newId();
  const now = (): number => wall.now();
  const namespaces = new Namespaces(database);
  const parts: NodeParts = { announcer: new Announcer(nodeId, commits, log), outage: new Outage(), timers: undefined, outbox: undefined, fireRuns: undefined, sweeper: undefined, lookedMs: Number.POSITIVE_INFINITY, lostMs: Number.NEGATIVE_INFINITY };
  const timeSkipping = skippingClock(config, wall, parts, () => engine.courier.busy || engine.queries.size > 0);
  const clock = timeSkipping ?? wall;
  const committer = new Committer(commits, {
    groupMax: 80,
    lanes: 1,
    now: () => clock.now(),
    ...(timeSkipping && { watch: (item, committed) => timeSkipping.watch(item, committed) }),
  });
  const storedQueueConfigs = new TaskQueueConfigs(database);
  const cache = new RunCache(CACHED_RUNS);
  const messagesAt = (ms: number): void => parts.outbox?.wakeIn(ms - clock.now());
  const engine: Engine = {
    nodeId,
    log,
    clock,
    wall,
    timeSkipping,
    ids,
    limits,
    database,
    namespaces,
    runs: new Runs(database),
    histories: new Histories(database),
    tasks: new Tasks(database),
    retention: new Retention(database),
    approvals: new Approvals(database),
    outbox: new Outbox(database, messagesAt),
    courier: courierOf(() => engine, log),
    callbacks: new CallbackCalls(postCallback),
    listing: new Listing(database),
    committer,
    cache,
    load: new Load({ limits: { ...DEFAULT_LOAD_LIMITS, ...config.load }, now: () => performance.now(), committer, cache, tasksReady: () => engine.queues.keptTasks, firstTaskAt: (namespace, queue) => firstTaskAt(engine, namespace, queue), promisePoll: (queue) => engine.queues.promisePoll(queue) }),
    serial: new SerialQueue(),
    queues: new TaskQueues(now, {
      fetch: (queue, wanted, heldKeys) => takeTasks(engine, queue, wanted, heldKeys),
      start: (queue, task, poller) => startTask(engine, queue, task, poller),
      configOf: (queue) => engine.queueConfigs.of(queue),
      nodesPolling: (queue) => 1 + (engine.otherNodes() ? engine.remotePolls.nodesPolling(queue) : 0),
      alone: () => !engine.otherNodes(),
      pollCame: (queue) => engine.load.admission.pollCame(queue),
    }),
    watchers: new Watchers(),
    interests: new Interests(now),
    updates: new UpdateWaiters(),
    registry: new NamespaceRegistry(namespaces, now),
    queries: new PendingQueries(),
    sharedQueries: new Queries(database),
    queuePolls: new QueuePolls(database),
    remotePolls: new RemotePolls(now),
    queueReports: new QueueReports(database),
    storedQueueConfigs,
    workers: new Workers(database),
    completionPages: new CompletionPages(database),
    queueConfigs: new KnownQueueConfigs(storedQueueConfigs, () => engine.queues.refreshLimits()),
    longPollMs: 60_000,
    turnContext: () => {
      const nowMs = clock.now();
      return {
        nowMs,
        limits,
        otherNodes: engine.otherNodes(),
        reachableSinceMs: parts.outage.endedMs,
        newId: ids.newId,
        newRunId: (after) => ids.newRunId(nowMs, after),
        retentionMs: (namespaceId) => engine.registry.retentionMs(namespaceId),
        attributeTypes: (name) => engine.registry.peek(name)?.searchAttributes ?? {},
        apply: applyEvent,
      };
    },
    deadlineAt: (ms) => parts.timers?.wakeIn(ms - clock.now()),
    messagesAt,
    unsettled: (runId, held) => settleLater(engine, runId, held),
    sweepSoon: () => parts.sweeper?.wake(),
    otherNodes: () => parts.announcer.others || wall.now() - parts.lookedMs > LOOKED_LATELY_MS,
    lookMs: () => (engine.otherNodes() || wall.now() - parts.lostMs < DOUBT_MS ? LOOK_MS : ALONE_LOOK_MS),
    notify: (change) => parts.announcer.add(change),
  };
  return { engine, parts };
}

/** What a lost statement may have stored is looked for. */
function lost(parts: NodeParts, wall: Clock): void {
  parts.lostMs = wall.now();
  parts.outage.failed();
  parts.timers?.wakeIn(LOOK_MS);
  parts.outbox?.wakeIn(LOOK_MS);
}

/** The clock of test mode; undefined when the configuration asks for none. */
function skippingClock({ timeSkipping, timeSkippingFromMs: startMs }: Config, wall: Clock, parts: NodeParts, busy: () => boolean): TimeSkipping | undefined {
  if (timeSkipping === 'off') return undefined;
  const due = (runIds: readonly string[]): void => {
    parts.fireRuns?.(runIds);
    if (runIds.length > 0) return;
    parts.timers?.wake();
    parts.outbox?.wake();
  };
  return new TimeSkipping({ wall, startMs, locks: timeSkipping === 'locked' ? 1 : 0, busy, due });
}
