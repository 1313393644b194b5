/** The composition root: one node with its engine, loops and ports. This file and compose-*.ts are the ones that see every room. */
import { join } from 'node:path';
import { composeEngine } from './compose-engine.js';
import { composeLoops } from './compose-loops.js';
import type { Config } from './config.js';
import { approvalHandlers } from './engine/approval-handlers.js';
import type { Clock, Engine, Ids } from './engine/engine.js';
import { operatorHandlers, workflowHandlers } from './engine/handlers.js';
import { systemIds } from './engine/ids.js';
import { metricsText } from './engine/metrics.js';
import { prepareNamespaces } from './engine/prepare-namespaces.js';
import { clusterHandlers, systemHandlers } from './engine/system-info.js';
import { testHandlers } from './engine/test-service.js';
import type { TimeSkipping } from './engine/time-skipping.js';
import type { Logger } from './log.js';
import type { Loop } from './loops/loop.js';
import { packageFolder } from './package-files.js';
import { readClusterId } from './storage/cluster.js';
import { migrate } from './storage/migrate.js';
import { createGrpcServer, type GrpcServer } from './transport/grpc/grpc-server.js';

/** What a server is made of. */
export interface ServerOptions {
  /** From `readConfig`; `databaseUrl` must answer. */
  readonly config: Config;
  /** pino, or anything with its methods. */
  readonly log: Logger;
  /** Time as all runs see it. Default: the machine's. */
  readonly clock?: Clock;
  /** Makes run ids, task ids and the like. Default: random ones. */
  readonly ids?: Ids;
  /** Binds no gRPC port: connections are handed over by another process. */
  readonly handed?: boolean;
}

/** One node: its engine, loops and ports. */
export interface PerdureServer {
  /** Opens the ports and begins to work. Answers with `host:port` of each; `httpAddress` is empty where HTTP is off. */
  start(): Promise<{ grpcAddress: string; httpAddress: string }>;
  /** Takes no new calls, gives those under way `config.shutdownGraceMs`, and closes its connections to the database. */
  stop(): Promise<void>;
  /** Those that another process hands over. */
  readonly connections: GrpcServer['connections'];
  /** Where callers find it, when another process accepts them. */
  serves(grpcAddress: string): void;
  /** Prometheus text. */
  metrics(): string;
}

/**
 * Makes a node on a database, whose schema it brings up to date. It works once it is started.
 * @throws what the database answers: unreachable, no right to create tables, of a newer version
 */
export async function createServer({ config, log, clock = { now: Date.now }, ids = systemIds, handed = false }: ServerOptions): Promise<PerdureServer> {
  await migrate(config.databaseUrl, { log });
  const { engine, parts } = composeEngine(config, log, clock, ids);
  const { timeSkipping } = engine;
  const startedMs = clock.now();
  const { loops, outbox, listener, nodeWatch } = composeLoops(engine, parts, log);
  const address = { grpc: '', http: '' };
  const facts = { clusterId: await readClusterId(engine.database), address: () => address };
  const services = {
    workflow: { ...systemHandlers(facts), ...workflowHandlers(engine) },
    operator: { ...clusterHandlers(facts), ...operatorHandlers(engine) },
    ...(timeSkipping && { test: testHandlers(timeSkipping) }),
  };
  const approvals = {
    protoPath: join(packageFolder('proto'), 'perdure', 'v1', 'approvals.proto'),
    serviceName: 'perdure.v1.ApprovalService',
    handlers: approvalHandlers(engine),
  };
  const grpc = createGrpcServer({
    ...config.grpc,
    services,
    extraServices: [approvals],
    callStreamProto: join(packageFolder('proto'), 'perdure', 'v1', 'calls.proto'),
    handed,
    log,
  });
  const http =
    config.http &&
    (await import('./transport/http/http-server.js')).createHttpServer({ ...config.http, readiness: () => readiness(engine), metrics: () => metricsText(engine, startedMs), log });
  return {
    async start() {
      await listener.start();
      await nodeWatch.join();
      await prepareNamespaces(engine, config);
      if (timeSkipping) await noteOpenRuns(engine, timeSkipping);
      parts.outage.started(engine.clock.now(), { others: engine.otherNodes() });
      await engine.queueConfigs.refresh();
      for (const loop of loops) loop.start();
      if (!engine.otherNodes())
        void takeOver(engine, outbox).catch((err) =>
          log.warn({ err }, 'what earlier nodes had claimed is free only when their claims end'),
        );
      const bound = await grpc.start();
      if (!handed) address.grpc = bound.address;
      address.http = http ? await http.start() : '';
      return { grpcAddress: address.grpc, httpAddress: address.http };
    },
    connections: grpc.connections,
    serves(grpcAddress) {
      address.grpc = grpcAddress;
    },
    metrics: () => metricsText(engine, startedMs),
    async stop() {
      timeSkipping?.stop();
      engine.queues.close();
      engine.load.stop();
      await engine.tasks.release(engine.queues.takeKept().map((task) => task.taskId)).catch(() => undefined);
      engine.watchers.wakeAll();
      await grpc.stop(config.shutdownGraceMs);
      await http?.stop();
      await Promise.all(loops.map((loop) => loop.stop()));
      engine.callbacks.stop();
      await engine.courier.stop();
      await listener.stop();
      await nodeWatch.leave().catch(() => undefined);
      await engine.database.close();
    },
  };
}

/** In test mode the clock knows every open run: of a database that is not new, it looks once. */
async function noteOpenRuns(engine: Engine, timeSkipping: TimeSkipping): Promise<void> {
  if (engine.otherNodes()) throw new Error('time skipping needs a database of its own, and another node works on this one');
  for (const runId of await engine.runs.open()) {
    const run = await engine.runs.load(runId);
    if (run) timeSkipping.saw(run.state);
  }
  timeSkipping.start();
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
