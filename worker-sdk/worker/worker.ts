/** The worker: polls a task queue, runs workflows and activities, and stops in an orderly way. */
import { createHash } from 'node:crypto';
import type { Client } from '../client/client.js';
import { IllegalStateError } from '../definitions/errors.js';
import type { Logger } from '../definitions/logger.js';
import { LoggerWithComposedMetadata, SdkComponent } from '../definitions/logger.js';
import { Connection } from '../transport/connection.js';
import type { WorkerParts } from './assembly.js';
import { assembleWorker } from './assembly.js';
import type { CompiledWorkerOptions } from './compiled-options.js';
import { compileWorkerOptions } from './compiled-options.js';
import { makeWorkflowHost } from './host.js';
import { describeNamespace, type NamespaceFeatures } from './namespace-features.js';
import type { WorkerPlugin } from './plugin.js';
import type { ReplayHistoriesIterable, ReplayOutcome } from './replay.js';
import { replayHistories, replayHistory } from './replay.js';
import type { RunUntilOptions } from './run-until.js';
import { runUntil } from './run-until.js';
import { Runtime } from './runtime.js';
import { drain, endPolls } from './stop.js';
import { WorkerHeartbeats } from './worker-heartbeats.js';
import type { WorkerMetrics } from './worker-metrics.js';
import type { ReplayWorkerOptions, WorkerOptions } from './worker-options.js';

/**
 * What a worker is doing.
 * `INITIALIZED` made, not run; `RUNNING` polls; `STOPPING` ends its polls; `DRAINING` finishes what it holds; `DRAINED` has
 * nothing left; `STOPPED` has ended; `FAILED` has ended with an error, which run() rejects with.
 */
export type State = 'INITIALIZED' | 'RUNNING' | 'STOPPED' | 'STOPPING' | 'DRAINING' | 'DRAINED' | 'FAILED';
/** Whether polls are made, or the worker is stopping. */
export type PollerState = 'POLLING' | 'SHUTDOWN' | 'FAILED';

/** A worker at a glance. */
export interface WorkerStatus {
  /** As `getState` answers. */
  runState: State;
  /** The same as {@link activityPollerState}: pollers start and stop together. */
  workflowPollerState: PollerState;
  /** `POLLING` while the worker is `RUNNING`, `FAILED` once it has failed, else `SHUTDOWN`. */
  activityPollerState: PollerState;
  /** Whether the server holds a poll for workflow tasks at this moment. */
  hasOutstandingWorkflowPoll: boolean;
  /** Whether the server holds a poll for activity tasks at this moment. */
  hasOutstandingActivityPoll: boolean;
  /** Workflow tasks under way. */
  numInFlightWorkflowActivations: number;
  /** Activities under way, local ones included. */
  numInFlightActivities: number;
  /** Activities under way that the server handed out. */
  numInFlightNonLocalActivities: number;
  /** Local activities under way, pauses between attempts not counted. */
  numInFlightLocalActivities: number;
  /** Runs in memory. */
  numCachedWorkflows: number;
  /** Activities under way that have sent a heartbeat. */
  numHeartbeatingActivities: number;
}

/**
 * Executes workflows and activities of one task queue.
 *
 * @example
 * const worker = await Worker.create({
 *   taskQueue: 'orders',
 *   workflowsPath: new URL('./workflows.js', import.meta.url).href,
 *   activities,
 * });
 * await worker.run(); // until SIGINT, SIGTERM or worker.shutdown()
 */
export class Worker {
  private state: State = 'INITIALIZED';
  private askToStop!: () => void;
  private readonly stopAsked = new Promise<void>((resolve) => {
    this.askToStop = resolve;
  });

  private constructor(
    /** As given and changed by plugins, with defaults. */
    readonly options: CompiledWorkerOptions,
    /** To the server; one that the worker made for itself is closed when it has ended. */
    readonly connection: Connection,
    private readonly ownsConnection: boolean,
    private readonly server: NamespaceFeatures,
    private readonly parts: WorkerParts,
    private readonly plugins: WorkerPlugin[],
    private readonly runtime: Runtime,
    private readonly logger: Logger,
  ) {}

  /**
   * Makes a worker: connects, checks the namespace, bundles the workflows. It polls once it is run.
   * @throws TypeError for options that do not fit; NamespaceNotFoundError; what bundling fails with.
   */
  static async create(options: WorkerOptions): Promise<Worker> {
    const plugins = [...((options.connection?.plugins ?? []) as Partial<WorkerPlugin>[]), ...(options.plugins ?? [])] as WorkerPlugin[];
    for (const plugin of plugins) options = (await plugin.configureWorker?.(options)) ?? options;
    const compiled = compileWorkerOptions(options);
    const runtime = Runtime.instance();
    const { namespace, taskQueue } = compiled;
    const logger = LoggerWithComposedMetadata.compose(runtime.logger, { sdkComponent: SdkComponent.worker, taskQueue });
    const connection = options.connection ?? (await Connection.connect());
    try {
      await connection.ensureConnected();
      // Bundling takes longer than the question about the namespace: both at once.
      const describing = describeNamespace(connection, namespace);
      const parts = await assembleWorker({
        options: compiled,
        connection,
        makeHost: compiled.hasWorkflows ? makeWorkflowHost(compiled, logger, runtime.metricMeter) : undefined,
        buildId: compiled.buildId ?? defaultBuildId(compiled),
        logger,
        metricMeter: runtime.metricMeter,
      });
      const features = await describing;
      parts.serverGivesHints = features.givesHints;
      parts.serverTakesPages = features.takesPages;
      return new Worker(compiled, connection, !options.connection, features, parts, plugins, runtime, logger);
    } catch (err) {
      if (!options.connection) await connection.close();
      throw err;
    }
  }

  /**
   * Replays a history against the present code.
   * @throws DeterminismViolationError when the code would do something else; ReplayError when it cannot be replayed.
   */
  static async runReplayHistory(options: ReplayWorkerOptions, history: unknown, workflowId?: string): Promise<void> {
    await replayHistory(options, history, workflowId);
  }

  /** Replays many histories; each result says whether its replay matched. */
  static runReplayHistories(options: ReplayWorkerOptions, histories: ReplayHistoriesIterable): AsyncIterableIterator<ReplayOutcome> {
    return replayHistories(options, histories);
  }

  /** Where the worker is between its start and its end. */
  getState(): State {
    return this.state;
  }

  /** A client over the worker's connection, the one that activities are given. */
  get client(): Client {
    return this.parts.client;
  }

  /** What the worker is doing at this moment. */
  getStatus(): WorkerStatus {
    const { parts, state } = this;
    const pollerState: PollerState = state === 'FAILED' ? 'FAILED' : state === 'RUNNING' ? 'POLLING' : 'SHUTDOWN';
    const outstanding = (pollers: { outstanding: number }[]) => pollers.some((poller) => poller.outstanding > 0);
    return {
      runState: state,
      workflowPollerState: pollerState,
      activityPollerState: pollerState,
      hasOutstandingWorkflowPoll: outstanding(parts.workflowPollers),
      hasOutstandingActivityPoll: outstanding(parts.activityPollers),
      numInFlightWorkflowActivations: parts.workflowTasks?.size ?? 0,
      numInFlightActivities: parts.activityTasks.size + parts.localActivities.size,
      numInFlightNonLocalActivities: parts.activityTasks.size,
      numInFlightLocalActivities: parts.localActivities.size,
      numCachedWorkflows: parts.host?.cachedRuns ?? 0,
      numHeartbeatingActivities: parts.activityTasks.heartbeating,
    };
  }

  /**
   * Begins to stop: no more tasks are taken, those held are finished, activities have `shutdownGraceTime`.
   * {@link run} resolves when all is done.
   * @throws {@link IllegalStateError} when the worker does not run.
   */
  shutdown(): void {
    if (this.state !== 'RUNNING') throw new IllegalStateError(`Not running: the worker is ${this.state}`);
    this.state = 'STOPPING';
    this.askToStop();
  }

  /** @internal Whether a stop was asked for or has happened. */
  get isStopping(): boolean {
    return this.state !== 'RUNNING';
  }

  /**
   * Polls and executes until {@link shutdown} or a signal (see {@link RuntimeOptions.shutdownSignals}).
   * @throws what the server refuses polls with for good; GracefulShutdownPeriodExpiredError.
   */
  async run(): Promise<void> {
    if (this.state !== 'INITIALIZED') throw new IllegalStateError(`A worker runs once: this one is ${this.state}`);
    this.state = 'RUNNING';
    let next = (worker: Worker) => worker.runInner();
    for (const plugin of [...this.plugins].reverse()) {
      const { runWorker } = plugin;
      if (!runWorker) continue;
      const inner = next;
      next = (worker) => runWorker.call(plugin, worker, inner);
    }
    await next(this);
  }

  /**
   * Runs until a promise settles, then stops, and answers with the promise's result.
   * @example
   * const result = await worker.runUntil(client.workflow.execute(greet, options));
   */
  runUntil<R>(fnOrPromise: Promise<R> | (() => Promise<R>), options: RunUntilOptions = {}): Promise<R> {
    return runUntil(this, fnOrPromise, options);
  }

  private async runInner(): Promise<void> {
    const { parts, options, runtime, connection, logger } = this;
    const { namespace, taskQueue } = options;
    const onSignal = () => {
      if (this.state === 'RUNNING') this.shutdown();
    };
    const release = connection.hold(this);
    const unregister = connection.eagerStarts.register({ namespace, taskQueue, reserve: () => this.reserveEagerStart() });
    runtime.registerShutdownSignalCallback(onSignal);
    logger.info('Worker started', { namespace });
    const heartbeats = this.heartbeats();
    heartbeats?.start();
    const gauges = parts.metrics && reportGauges(parts, parts.metrics);
    try {
      const polling = Promise.all([...parts.workflowPollers, ...parts.activityPollers].map((poller) => poller.run()));
      const failure = await Promise.race([this.stopAsked, polling.catch((err: unknown) => ({ err }))]);
      if (failure && 'err' in failure) this.state = 'STOPPING';
      unregister();
      await endPolls(parts, options, polling, { serverEndsPolls: this.server.endsPolls, heartbeats }, logger);
      this.state = 'DRAINING';
      await drain(parts, options);
      this.state = 'DRAINED';
      if (failure && 'err' in failure) throw failure.err;
      this.state = 'STOPPED';
      logger.info('Worker stopped', { namespace });
    } catch (err) {
      this.state = 'FAILED';
      logger.error('Worker failed', { namespace, error: err });
      throw err;
    } finally {
      clearInterval(gauges);
      unregister();
      runtime.deregisterShutdownSignalCallback(onSignal);
      await heartbeats?.stop();
      release();
      parts.host?.dispose();
      if (this.ownsConnection) await connection.close();
    }
  }

  private heartbeats(): WorkerHeartbeats | undefined {
    const { parts, options, connection, plugins, runtime, logger } = this;
    const intervalMs = runtime.workerHeartbeatMs;
    if (!this.server.wantsHeartbeats || intervalMs === 0) return undefined;
    return new WorkerHeartbeats({ parts, options, connection, pluginNames: plugins.map(({ name }) => name), intervalMs, logger });
  }

  private reserveEagerStart() {
    const { workflowTasks, workflowSlots } = this.parts;
    if (!workflowTasks || this.state !== 'RUNNING') return undefined;
    const slot = workflowSlots.tryReserve(false);
    return (
      slot && { run: (task: Parameters<typeof workflowTasks.take>[0]) => workflowTasks.take(task, slot, false), release: slot.release }
    );
  }
}

const GAUGES_MS = 1_000;

/** Reports values at present now and then, while the worker runs. */
function reportGauges(parts: WorkerParts, metrics: WorkerMetrics): NodeJS.Timeout {
  const report = () => {
    const [normal, sticky] = parts.workflowPollers;
    metrics.gauges({
      pollers: {
        workflow_task: normal?.outstanding ?? 0,
        sticky_workflow_task: sticky?.outstanding ?? 0,
        activity_task: parts.activityPollers[0]?.outstanding ?? 0,
      },
      slots: {
        WorkflowWorker: parts.workflowSlots,
        ActivityWorker: parts.activitySlots,
        LocalActivityWorker: parts.localSlots,
      },
      cachedRuns: parts.host?.cachedRuns ?? 0,
    });
  };
  metrics.started();
  report();
  return setInterval(report, GAUGES_MS).unref();
}

/** Tells builds apart where the user does not: by the workflow code, as far as it is known. */
function defaultBuildId(options: CompiledWorkerOptions): string {
  const bundle = options.workflowBundle;
  const source = bundle && 'code' in bundle ? bundle.code : (options.workflowsPath ?? JSON.stringify(bundle ?? ''));
  return `@perdure/sdk+${createHash('sha256').update(source).digest('hex').slice(0, 32)}`;
}
