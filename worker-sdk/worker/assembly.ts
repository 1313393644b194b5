/** Puts the parts of a worker together. The only file that knows them all. */
import { randomUUID } from 'node:crypto';
import { Client } from '../client/client.js';
import { msToTs } from '../definitions/duration.js';
import type { Logger } from '../definitions/logger.js';
import type { MetricMeter } from '../definitions/metrics.js';
import type { RunLocalActivity, WorkflowHost, WorkflowHostOptions, WorkflowTask } from '../replay/workflow-host.js';
import type { Connection } from '../transport/connection.js';
import type { ActivityEnvironment } from './activity-execution.js';
import type { ActivityTask } from './activity-tasks.js';
import { ActivityTasks } from './activity-tasks.js';
import type { CompiledWorkerOptions } from './compiled-options.js';
import type { WorkerRpcs } from './delivery.js';
import { workerRpcs } from './delivery.js';
import { DeliveryLimit } from './delivery-limit.js';
import { EagerActivities } from './eager-activities.js';
import { LocalActivities } from './local-activities.js';
import type { PollerScale } from './poller.js';
import { Poller } from './poller.js';
import { RateLimiter } from './rate-limiter.js';
import type { ActivitySlotInfo, LocalActivitySlotInfo, Slots, WorkflowSlotInfo } from './slots.js';
import { TaskCounts } from './task-counts.js';
import { makeSlots } from './tuner.js';
import { WorkerMetrics } from './worker-metrics.js';
import type { WorkerVersion } from './worker-version.js';
import { workerVersion } from './worker-version.js';
import { WorkflowTasks } from './workflow-tasks.js';

/** Makes the host of the workflows: the real one, or a test's. */
export type MakeHost = (
  runLocalActivity: RunLocalActivity,
  observer: Pick<WorkflowHostOptions, 'onEvict' | 'onCacheLookup'>,
) => Promise<WorkflowHost>;

/** TASK_QUEUE_KIND_NORMAL and _STICKY */
const NORMAL = 1;
const STICKY = 2;

/** The parts of a worker. */
export interface WorkerParts {
  readonly client: Client;
  readonly rpcs: WorkerRpcs;
  readonly host: WorkflowHost | undefined;
  readonly activityTasks: ActivityTasks;
  readonly localActivities: LocalActivities;
  readonly workflowTasks: WorkflowTasks | undefined;
  readonly workflowSlots: Slots<WorkflowSlotInfo>;
  readonly activitySlots: Slots<ActivitySlotInfo>;
  readonly localSlots: Slots<LocalActivitySlotInfo>;
  readonly workflowPollers: Poller<WorkflowSlotInfo, WorkflowTask>[];
  readonly activityPollers: Poller<ActivitySlotInfo, ActivityTask>[];
  readonly delivery: DeliveryLimit;
  /** Undefined when nothing is recorded. */
  readonly metrics: WorkerMetrics | undefined;
  /** Identifies this worker, for servers that end its polls at its shutdown. */
  readonly instanceKey: string;
  readonly stickyQueue: string | undefined;
  /** False from the moment the worker begins to stop. */
  takesMore: boolean;
  /** Whether answers to polls say how many polls there should be. Known once the namespace is. */
  serverGivesHints: boolean;
  /** Whether an answer to a workflow task may come in several calls. */
  serverTakesPages: boolean;
  readonly counts: TaskCounts;
}

export interface AssemblyInput {
  options: CompiledWorkerOptions;
  connection: Connection;
  makeHost: MakeHost | undefined;
  buildId: string;
  logger: Logger;
  metricMeter: MetricMeter;
}

/** What polls of either kind say about this worker. */
interface PollIdentity {
  namespace: string;
  identity: string;
  workerInstanceKey: string;
}

export async function assembleWorker(input: AssemblyInput): Promise<WorkerParts> {
  const { options, connection, makeHost, logger, metricMeter } = input;
  const { namespace, identity, taskQueue, loadedDataConverter: converter, activityFunctions: activities } = options;
  const version = workerVersion(input.buildId, options.workerDeploymentOptions);
  const instanceKey = randomUUID();
  const clientOptions = { connection, namespace, identity, loadedDataConverter: converter, interceptors: options.interceptors?.client };
  const client = new Client(clientOptions);
  const env: ActivityEnvironment = { converter, interceptors: options.interceptors?.activity ?? [], logger, metricMeter, client };
  const { workflowSlots, activitySlots, localSlots } = slotsOf(options, input.buildId);
  const metrics = WorkerMetrics.for(metricMeter, { namespace, task_queue: taskQueue });
  const rpcs = workerRpcs(connection, metrics);
  const delivery = new DeliveryLimit();
  const counts = new TaskCounts();
  const takesMore = () => parts.takesMore;
  const shared = { rpcs, namespace, identity, taskQueue, delivery, metrics, counts, logger };

  const activityTasks = new ActivityTasks({
    ...shared,
    env,
    activities,
    defaultHeartbeatThrottleMs: options.defaultHeartbeatThrottleMs,
    maxHeartbeatThrottleMs: options.maxHeartbeatThrottleMs,
  });
  const localActivities = new LocalActivities({ env, activities, slots: localSlots, taskQueue, metrics, count: counts.local });
  const host = await makeHost?.(localActivities.run, {
    onEvict: metrics && (() => metrics.evicted()),
    onCacheLookup: (hit) => {
      if (hit) counts.cacheHits++;
      else counts.cacheMisses++;
      metrics?.cacheLookup(hit);
    },
  });
  const eager = new EagerActivities({
    slots: activitySlots,
    maxPerTask: eagerActivitiesPerTask(options),
    has: (type) => activities.has(type) || activities.has('default'),
    takesMore,
    take: (task, slot) => activityTasks.take(task, slot, true),
  });
  const stickyQueue = host && options.stickyPolls ? `${identity}-${taskQueue}-${instanceKey}` : undefined;
  const workflowTasks =
    host &&
    new WorkflowTasks({
      ...shared,
      host,
      codecs: converter.payloadCodecs,
      sticky: stickyQueue ? { queue: stickyQueue, scheduleToStartTimeout: msToTs(options.stickyScheduleToStartMs) } : undefined,
      version,
      eager,
      takesMore,
      takesPages: () => parts.serverTakesPages,
    });

  const poll = { namespace, identity, workerInstanceKey: instanceKey };
  const polling: PollerDeps = {
    options,
    rpcs,
    poll,
    version,
    metrics,
    logger,
    sharesStream: () => connection.sharesStream,
    givesHints: () => parts.serverGivesHints,
  };
  const parts: WorkerParts = {
    client,
    rpcs,
    host,
    activityTasks,
    localActivities,
    workflowTasks,
    workflowSlots,
    activitySlots,
    localSlots,
    workflowPollers: workflowTasks ? workflowPollers(polling, workflowSlots, workflowTasks, stickyQueue) : [],
    activityPollers: activityPollers(polling, activitySlots, activityTasks),
    delivery,
    metrics,
    instanceKey,
    stickyQueue,
    takesMore: true,
    serverGivesHints: false,
    serverTakesPages: false,
    counts,
  };
  return parts;
}

/** Eager activities pass by the queue and the polls, and with them by what limits their rate. */
function eagerActivitiesPerTask(options: CompiledWorkerOptions): number {
  const isLimited = options.maxActivitiesPerSecond !== undefined || options.maxTaskQueueActivitiesPerSecond !== undefined;
  return options.activityPolls && !isLimited ? options.maxEagerActivityReservationsPerWorkflowTask : 0;
}

/** The slots of each kind. */
function slotsOf(options: CompiledWorkerOptions, buildId: string) {
  const { taskQueue, identity, tuner, workerDeploymentOptions } = options;
  const context = {
    taskQueue,
    workerIdentity: identity,
    workerBuildId: buildId,
    workerDeploymentVersion: workerDeploymentOptions?.version,
  };
  return {
    workflowSlots: makeSlots<WorkflowSlotInfo>(tuner.workflowTaskSlotSupplier, { ...context, slotType: 'workflow' }),
    activitySlots: makeSlots<ActivitySlotInfo>(tuner.activityTaskSlotSupplier, { ...context, slotType: 'activity' }),
    localSlots: makeSlots<LocalActivitySlotInfo>(tuner.localActivityTaskSlotSupplier, { ...context, slotType: 'local-activity' }),
  };
}

interface PollerDeps {
  options: CompiledWorkerOptions;
  rpcs: WorkerRpcs;
  poll: PollIdentity;
  version: WorkerVersion;
  metrics: WorkerMetrics | undefined;
  logger: Logger;
  sharesStream(): boolean;
  givesHints(): boolean;
}

function workflowPollers(deps: PollerDeps, slots: Slots<WorkflowSlotInfo>, tasks: WorkflowTasks, stickyQueue: string | undefined) {
  const { options, rpcs, poll, version, metrics, logger, sharesStream, givesHints } = deps;
  const make = (isSticky: boolean, scale: PollerScale, taskQueue: { name: string; kind: number; normalName?: string }) => {
    const request = Object.freeze({ ...poll, ...version.poll, taskQueue });
    return new Poller<WorkflowSlotInfo, WorkflowTask>({
      name: isSticky ? 'workflow (sticky queue)' : 'workflow',
      slots,
      isSticky,
      scale,
      sharesStream,
      givesHints,
      logger,
      poll: (abortSignal) => rpcs.pollWorkflowTask(request, { abortSignal }),
      polled: metrics && ((task) => metrics.polled(isSticky ? 'sticky_workflow_task' : 'workflow_task', task)),
      take: (task, slot) => tasks.take(task, slot, isSticky),
    });
  };
  const { taskQueue, workflowPolls, stickyPolls } = options;
  const normal = make(false, workflowPolls, { name: taskQueue, kind: NORMAL });
  if (!stickyQueue || !stickyPolls) return [normal];
  const sticky = make(true, stickyPolls, { name: stickyQueue, kind: STICKY, normalName: taskQueue });
  normal.partner = sticky;
  sticky.partner = normal;
  return [normal, sticky];
}

function activityPollers(deps: PollerDeps, slots: Slots<ActivitySlotInfo>, tasks: ActivityTasks) {
  const { options, rpcs, poll, version, metrics, logger, sharesStream, givesHints } = deps;
  const { activityPolls, taskQueue, maxActivitiesPerSecond, maxTaskQueueActivitiesPerSecond } = options;
  if (!activityPolls) return [];
  const limiter = maxActivitiesPerSecond === undefined ? undefined : new RateLimiter(maxActivitiesPerSecond);
  const taskQueueMetadata =
    maxTaskQueueActivitiesPerSecond === undefined ? undefined : { maxTasksPerSecond: { value: maxTaskQueueActivitiesPerSecond } };
  const request = Object.freeze({ ...poll, ...version.poll, taskQueue: { name: taskQueue, kind: NORMAL }, taskQueueMetadata });
  return [
    new Poller<ActivitySlotInfo, ActivityTask>({
      name: 'activity',
      slots,
      isSticky: false,
      scale: activityPolls,
      sharesStream,
      givesHints,
      logger,
      poll: (abortSignal) => rpcs.pollActivityTask(request, { abortSignal }),
      polled: metrics && ((task) => metrics.polled('activity_task', task)),
      take: (task, slot) => tasks.take(task, slot),
      throttle: limiter && ((signal) => limiter.take(signal)),
    }),
  ];
}
