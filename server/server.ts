/** The composition root: builds every room and connects them. The one file that sees them all. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Config } from './config.js';
import { dynamicLimits } from './dynamic-limits.js';
import { applyEvent } from './core/registry.js';
import { Announcer } from './engine/announcer.js';
import { approvalHandlers } from './engine/approval-handlers.js';
import { Committer } from './engine/committer.js';
import { courierOf } from './engine/deliver-messages.js';
import type { Clock, Engine, Ids } from './engine/engine.js';
import { operatorHandlers, workflowHandlers } from './engine/handlers.js';
import { systemIds } from './engine/ids.js';
import { RemotePolls } from './engine/matching/remote-polls.js';
import { TaskQueues } from './engine/matching/task-queues.js';
import { metricsText } from './engine/metrics.js';
import { NamespaceRegistry } from './engine/namespace-registry.js';
import { hear } from './engine/hear-nodes.js';
import { PendingQueries } from './engine/pending-queries.js';
import { prepareNamespaces } from './engine/prepare-namespaces.js';
import { RunCache } from './engine/run-cache.js';
import { SerialQueue } from './engine/serial-queue.js';
import { clusterHandlers, systemHandlers } from './engine/system-info.js';
import { startTask, takeTasks } from './engine/take-tasks.js';
import { UpdateWaiters } from './engine/update-waiters.js';
import { Watchers } from './engine/watchers.js';
import type { Logger } from './log.js';
import { Listener } from './loops/listener.js';
import { Loop } from './loops/loop.js';
import { watchNeighboursOnce } from './loops/neighbour-watch.js';
import { NodeWatch } from './loops/node-watch.js';
import { deliverOutboxOnce } from './loops/outbox-deliverer.js';
import { Outage } from './loops/outage.js';
import { sweepRetentionOnce } from './loops/retention-sweeper.js';
import { fireTimersOnce } from './loops/timer-firer.js';
import { packageFolder } from './package-files.js';
import { Approvals } from './storage/approvals.js';
import { readClusterId } from './storage/cluster.js';
import { Commits } from './storage/commit.js';
import { Database } from './storage/database.js';
import { Histories } from './storage/history.js';
import { Listing } from './storage/listing.js';
import { migrate } from './storage/migrate.js';
import { Namespaces } from './storage/namespaces.js';
import { Nodes } from './storage/nodes.js';
import { Outbox } from './storage/outbox.js';
import { Retention } from './storage/retention.js';
import { Queries } from './storage/queries.js';
import { QueuePolls } from './storage/queue-polls.js';
import { Runs } from './storage/runs.js';
import { Tasks } from './storage/tasks.js';
import { createGrpcServer } from './transport/grpc/grpc-server.js';
import { createHttpServer } from './transport/http/http-server.js';

export interface ServerOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly ids?: Ids;
}

export interface PerdureServer {
  start(): Promise<{ grpcAddress: string; httpAddress: string }>;
  stop(): Promise<void>;
  /** Prometheus text. */
  metrics(): string;
}

const CACHED_RUNS = 10_000;
const BACKLOG_SWEEP_MS = 2_000;

export async function createServer({ config, log, clock = { now: Date.now }, ids = systemIds }: ServerOptions): Promise<PerdureServer> {
  await migrate(config.databaseUrl, { log });
  const engine = buildEngine(config, log, clock, ids);
  const startedMs = clock.now();
  const { loops, outbox, listener, nodeWatch, outage } = buildLoops(engine, log);
  const address = { grpc: '', http: '' };
  const facts = { clusterId: await readClusterId(engine.database), address: () => address };
  const services = { workflow: { ...systemHandlers(facts), ...workflowHandlers(engine) }, operator: { ...clusterHandlers(facts), ...operatorHandlers(engine) } };
  const approvals = { protoPath: join(packageFolder('proto'), 'perdure', 'v1', 'approvals.proto'), serviceName: 'perdure.v1.ApprovalService', handlers: approvalHandlers(engine) };
  const grpc = createGrpcServer({ ...config.grpc, services, extraServices: [approvals], callStreamProto: join(packageFolder('proto'), 'perdure', 'v1', 'calls.proto'), log });
  const http = config.http && createHttpServer({ ...config.http, readiness: () => readiness(engine), metrics: () => metricsText(engine, startedMs), log });
  return {
    async start() {
      await listener.start();
      await nodeWatch.join();
      await prepareNamespaces(engine, config);
      outage.started(clock.now());
      for (const loop of loops) loop.start();
      if (!engine.otherNodes()) void takeOver(engine, outbox).catch((err) => log.warn({ err }, 'what earlier nodes had claimed is free only when their claims end'));
      address.grpc = (await grpc.start()).address;
      address.http = http ? await http.start() : '';
      return { grpcAddress: address.grpc, httpAddress: address.http };
    },
    metrics: () => metricsText(engine, startedMs),
    async stop() {
      engine.queues.close();
      await engine.tasks.release(engine.queues.takeKept().map((task) => task.taskId)).catch(() => undefined);
      engine.watchers.wakeAll();
      await grpc.stop(config.shutdownGraceMs);
      await http?.stop();
      await Promise.all(loops.map((loop) => loop.stop()));
      await engine.courier.stop();
      await listener.stop();
      await nodeWatch.leave().catch(() => undefined);
      await engine.database.close();
    },
  };
}

/** The parts of the engine that other rooms wake. */
interface WakeUps {
  announcer: Announcer;
  timers: Loop | undefined;
  sweeper: Loop | undefined;
  outage: Outage;
}

const wakeUps = new WeakMap<Engine, WakeUps>();

/** The engine of one node, without its loops. */
export function buildEngine(config: Config, log: Logger, clock: Clock, ids: Ids): Engine {
  const database = new Database({ url: config.databaseUrl, poolSize: config.databasePoolSize, onError: (err) => log.warn({ err }, 'a database connection was lost') });
  const limits = dynamicLimits(config.dynamicConfig);
  const commits = new Commits(database);
  const nodeId = ids.newId();
  const now = (): number => clock.now();
  const namespaces = new Namespaces(database);
  const parts: WakeUps = { announcer: new Announcer(nodeId, commits, log), timers: undefined, sweeper: undefined, outage: new Outage() };
  const engine: Engine = {
    nodeId,
    log,
    clock,
    ids,
    limits,
    database,
    namespaces,
    runs: new Runs(database),
    histories: new Histories(database),
    tasks: new Tasks(database),
    retention: new Retention(database),
    approvals: new Approvals(database),
    outbox: new Outbox(database),
    courier: courierOf(() => engine, log),
    listing: new Listing(database),
    committer: new Committer(commits, { groupMax: 200, lanes: 1, now }),
    cache: new RunCache(CACHED_RUNS),
    serial: new SerialQueue(),
    queues: new TaskQueues(
      now,
      (queue, wanted) => takeTasks(engine, queue, wanted),
      (queue, task, poller) => startTask(engine, queue, task, poller),
    ),
    watchers: new Watchers(),
    updates: new UpdateWaiters(),
    registry: new NamespaceRegistry(namespaces, now),
    queries: new PendingQueries(),
    sharedQueries: new Queries(database),
    queuePolls: new QueuePolls(database),
    remotePolls: new RemotePolls(now),
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
    sweepSoon: () => parts.sweeper?.wake(),
    otherNodes: () => parts.announcer.others,
    notify: (change) => parts.announcer.add(change),
  };
  wakeUps.set(engine, parts);
  return engine;
}

function buildLoops(engine: Engine, log: Logger): { loops: Loop[]; outbox: Loop; listener: Listener; nodeWatch: NodeWatch; outage: Outage } {
  const parts = wakeUps.get(engine)!;
  const { outage } = parts;
  const timers = new Loop({ name: 'timer-firer', log, runOnce: () => fireTimersOnce(engine, outage) });
  const outbox = new Loop({ name: 'outbox-deliverer', log, runOnce: () => deliverOutboxOnce(engine) });
  const nodeWatch = new NodeWatch({
    nodes: new Nodes(engine.database),
    self: { id: engine.nodeId, host: hostname(), pid: process.pid, startedMs: engine.clock.now() },
    now: () => engine.clock.now(),
    log,
    onOthers(others) {
      parts.announcer.others = others;
    },
    greet: async () => engine.notify({ kind: 'node-started' }),
  });
  const backlogSweep = new Loop({
    name: 'backlog-sweep',
    log,
    async runOnce() {
      engine.queues.backlogEverywhere();
      return BACKLOG_SWEEP_MS;
    },
  });
  const neighbours = new Loop({ name: 'neighbour-watch', log, runOnce: () => watchNeighboursOnce(engine) });
  const sweeper = new Loop({ name: 'retention-sweeper', log, runOnce: () => sweepRetentionOnce(engine) });
  parts.timers = timers;
  parts.sweeper = sweeper;
  const listener = new Listener(
    engine,
    (from, change) => {
      parts.announcer.others = true;
      if (change.kind === 'node-started') nodeWatch.loop.wake();
      hear(engine, from, change);
    },
    () => {
      engine.queues.backlogEverywhere();
      engine.watchers.wakeAll();
      neighbours.wake();
      engine.registry.forgetAll();
    },
  );
  return { loops: [timers, outbox, nodeWatch.loop, neighbours, backlogSweep, sweeper], outbox, listener, nodeWatch, outage };
}

/** Tasks and messages that nodes which died had claimed need not wait until the claims end: a node that is alone takes them at once. */
async function takeOver(engine: Engine, outbox: Loop): Promise<void> {
  const nowMs = engine.clock.now();
  const [tasks, messages] = await Promise.all([engine.tasks.releaseAll(nowMs), engine.outbox.releaseAll(nowMs)]);
  if (tasks > 0) engine.queues.backlogEverywhere();
  if (messages > 0) outbox.wake();
}

async function readiness(engine: Engine): Promise<{ ready: boolean; reason?: string }> {
  try {
    await engine.database.query({ text: 'select 1' });
    return { ready: true };
  } catch (error) {
    return { ready: false, reason: `the database does not answer: ${(error as Error).message}` };
  }
}
