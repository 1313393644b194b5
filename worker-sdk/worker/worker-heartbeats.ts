/** What a worker tells the server of itself from time to time, so that operators see who is there and how busy. */
import { randomUUID } from 'node:crypto';
import os from 'node:os';
import { status } from '@grpc/grpc-js';
import type { temporal } from '../definitions/api.js';
import { msToTs } from '../definitions/duration.js';
import type { Logger } from '../definitions/logger.js';
import { SDK_NAME, SDK_VERSION } from '../replay/sdk-name.js';
import type { Connection } from '../transport/connection.js';
import { isGrpcServiceError } from '../transport/grpc-error.js';
import type { WorkerParts } from './assembly.js';
import type { CompiledWorkerOptions } from './compiled-options.js';
import { MachineUsage } from './machine-usage.js';
import type { SlotInfo, Slots } from './slots.js';
import type { TaskCount } from './task-counts.js';
import type { SlotSupplier } from './tuner.js';

type Heartbeat = temporal.api.worker.v1.IWorkerHeartbeat;
type SlotsInfo = temporal.api.worker.v1.IWorkerSlotsInfo;

/** WORKER_STATUS_… */
const STATUS = { RUNNING: 1, SHUTTING_DOWN: 2, SHUTDOWN: 3 } as const;
export type WorkerStatusName = keyof typeof STATUS;

/** How long the last one may take: a worker that stops waits for nobody. */
const LAST_MS = 1_000;
const SUPPLIERS = { 'fixed-size': 'Fixed', 'resource-based': 'ResourceBased', custom: 'Custom' } as const;

/** Workers of one connection in one process are shown together. */
const groups = new WeakMap<Connection, string>();

export interface WorkerHeartbeatsInput {
  parts: WorkerParts;
  options: CompiledWorkerOptions;
  connection: Connection;
  pluginNames: readonly string[];
  intervalMs: number;
  logger: Logger;
}

/** The heartbeats of one worker. */
export class WorkerHeartbeats {
  private readonly startedMs = Date.now();
  private readonly machine = new MachineUsage();
  private readonly previous = new Map<TaskCount, TaskCount>();
  private lastMs: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private status: WorkerStatusName = 'RUNNING';

  constructor(private readonly input: WorkerHeartbeatsInput) {}

  /** Sends one at once, and others at intervals. */
  start(): void {
    void this.send();
    this.timer = setInterval(() => void this.send(), this.input.intervalMs).unref();
  }

  /** From now on the worker is shown as going. Answers with the heartbeat that says so. */
  shuttingDown(): Heartbeat {
    this.status = 'SHUTTING_DOWN';
    return this.make();
  }

  /** Says that the worker is gone. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.status = 'SHUTDOWN';
    await this.send(Date.now() + LAST_MS);
  }

  private async send(deadline?: number): Promise<void> {
    const { parts, options, connection, logger } = this.input;
    const { namespace, identity } = options;
    try {
      const request = { namespace, identity, workerHeartbeat: [this.make()], resourceId: groupOf(connection) };
      await parts.rpcs.workerHeartbeat(request, deadline === undefined ? {} : { deadline });
    } catch (err) {
      // The next one says it again; a server that has lost the call is not asked any more.
      if (isGrpcServiceError(err) && err.code === status.UNIMPLEMENTED) clearInterval(this.timer);
      logger.debug('Heartbeat of the worker was not taken', { error: err });
    }
  }

  private make(): Heartbeat {
    const { parts, options, pluginNames } = this.input;
    const now = Date.now();
    const elapsed = this.lastMs === undefined ? undefined : msToTs(now - this.lastMs);
    this.lastMs = now;
    const { tuner } = options;
    const [normal, sticky] = parts.workflowPollers;
    const workflows = parts.workflowTasks !== undefined;
    const { counts } = parts;
    return {
      workerInstanceKey: parts.instanceKey,
      workerIdentity: options.identity,
      hostInfo: this.host(),
      taskQueue: options.taskQueue,
      deploymentVersion: options.workerDeploymentOptions?.version,
      sdkName: SDK_NAME,
      sdkVersion: SDK_VERSION,
      status: STATUS[this.status],
      startTime: msToTs(this.startedMs),
      heartbeatTime: msToTs(now),
      elapsedSinceLastHeartbeat: elapsed,
      workflowTaskSlotsInfo: workflows ? this.slots(parts.workflowSlots, tuner.workflowTaskSlotSupplier, counts.workflow) : undefined,
      activityTaskSlotsInfo: this.slots(parts.activitySlots, tuner.activityTaskSlotSupplier, counts.activity),
      localActivitySlotsInfo: workflows ? this.slots(parts.localSlots, tuner.localActivityTaskSlotSupplier, counts.local) : undefined,
      workflowPollerInfo: pollerInfo(normal),
      workflowStickyPollerInfo: pollerInfo(sticky),
      activityPollerInfo: pollerInfo(parts.activityPollers[0]),
      totalStickyCacheHit: counts.cacheHits,
      totalStickyCacheMiss: counts.cacheMisses,
      currentStickyCacheSize: parts.host?.cachedRuns ?? 0,
      plugins: pluginNames.map((name) => ({ name })),
    };
  }

  private host(): temporal.api.worker.v1.IWorkerHostInfo {
    const { memory, cpu } = this.machine.measure();
    return {
      hostName: os.hostname(),
      workerGroupingKey: groupOf(this.input.connection),
      processId: String(process.pid),
      currentHostCpuUsage: cpu,
      currentHostMemUsage: memory,
    };
  }

  private slots<SI extends SlotInfo>(slots: Slots<SI>, { type }: SlotSupplier<SI>, count: TaskCount): SlotsInfo {
    const before = this.previous.get(count) ?? { processed: 0, failed: 0 };
    this.previous.set(count, { ...count });
    return {
      currentAvailableSlots: slots.available ?? -1,
      currentUsedSlots: slots.used,
      slotSupplierKind: SUPPLIERS[type],
      totalProcessedTasks: count.processed,
      totalFailedTasks: count.failed,
      lastIntervalProcessedTasks: count.processed - before.processed,
      lastIntervalFailureTasks: count.failed - before.failed,
    };
  }
}

function groupOf(connection: Connection): string {
  const known = groups.get(connection) ?? randomUUID();
  groups.set(connection, known);
  return known;
}

type PollerFigures = Pick<WorkerParts['workflowPollers'][number], 'outstanding' | 'lastTaskMs' | 'isAutoscaling'>;

function pollerInfo(poller: PollerFigures | undefined): temporal.api.worker.v1.IWorkerPollerInfo | undefined {
  if (!poller) return undefined;
  const { outstanding, lastTaskMs, isAutoscaling } = poller;
  return {
    currentPollers: outstanding,
    lastSuccessfulPollTime: lastTaskMs === undefined ? undefined : msToTs(lastTaskMs),
    isAutoscaling,
  };
}
