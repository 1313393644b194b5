/** DescribeTaskQueue and ListTaskQueuePartitions: who polls a queue, and what waits in it. */
import { enums, int64, type temporal, toDuration, toTimestamp } from '../core/api.js';
import { effectiveRate, NO_CONFIG, type TaskQueueConfig, taskQueueConfigToApi } from '../core/task-queue-config.js';
import { invalidArgument } from '../core/errors.js';
import { MIDDLE_RANK } from '../core/priority.js';
import { refuse } from '../core/validate/problem.js';
import { taskQueueProblem } from '../core/validate/task-queue.js';
import type { Namespace } from '../storage/namespaces.js';
import type { QueueName } from '../storage/tasks.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { type QueueReport, reportOfAllNodes } from './queue-report.js';

type Request = temporal.api.workflowservice.v1.IDescribeTaskQueueRequest;
type Response = temporal.api.workflowservice.v1.IDescribeTaskQueueResponse;
type PartitionsRequest = temporal.api.workflowservice.v1.IListTaskQueuePartitionsRequest;
type PollerInfo = temporal.api.taskqueue.v1.IPollerInfo;
type Stats = temporal.api.taskqueue.v1.ITaskQueueStats;

const TYPE = enums.TaskQueueType;
const ENHANCED = enums.DescribeTaskQueueMode.DESCRIBE_TASK_QUEUE_MODE_ENHANCED;
/** What a queue hands out a second when nobody has set a limit: shown, not enforced, as there is none. */
const NO_LIMIT_PER_SECOND = 4000;
const POLLER_RATE = 100_000;
const RESERVED = /^\/_sys\//;
const PARTITION = /^\/_sys\/[^/]+(\/[^/]+)*\/\d+$/;
/** The start of the Go calendar: how the field says "never". */
const NEVER = { seconds: int64(-62_135_596_800), nanos: 0 };

export async function describeTaskQueue(engine: Engine, request: Request, _call: Call): Promise<Response> {
  const namespace = await engine.registry.require(request.namespace);
  refuse(taskQueueProblem(request.taskQueue, { lengthMax: engine.limits.idLengthMax, reservedAllowed: true }));
  const name = request.taskQueue!.name!;
  if (RESERVED.test(name) && !PARTITION.test(name)) throw invalidArgument(`invalid task queue partition name ${name}`);
  const queue = PARTITION.test(name) ? name.slice('/_sys/'.length, name.lastIndexOf('/')) : name;
  if (request.apiMode === ENHANCED) return enhanced(engine, namespace, queue, request);
  const type = request.taskQueueType || TYPE.TASK_QUEUE_TYPE_WORKFLOW;
  const { report, ...described } = await describeOne(engine, queueName(namespace, queue, type), request.reportStats ?? false);
  const config = await configOf(engine, namespace, queue, type);
  const rate = effective(engine, queueName(namespace, queue, type), config ?? NO_CONFIG, report);
  return {
    ...described,
    config: request.reportConfig && config ? taskQueueConfigToApi(config) : undefined,
    versioningInfo: { currentVersion: '__unversioned__', updateTime: NEVER },
    effectiveRateLimit: rate,
    taskQueueStatus: request.includeTaskQueueStatus
      ? { ratePerSecond: rate.requestsPerSecond, taskIdBlock: { startId: int64(1), endId: int64(100_000) } }
      : undefined,
  };
}

async function enhanced(engine: Engine, namespace: Namespace, queue: string, request: Request): Promise<Response> {
  const types = request.taskQueueTypes?.length ? request.taskQueueTypes : [TYPE.TASK_QUEUE_TYPE_WORKFLOW, TYPE.TASK_QUEUE_TYPE_ACTIVITY];
  const typesInfo: Record<number, temporal.api.taskqueue.v1.ITaskQueueTypeInfo> = {};
  for (const type of types) {
    const { pollers, stats } = await describeOne(engine, queueName(namespace, queue, type), request.reportStats ?? false);
    typesInfo[type] = { pollers: request.reportPollers ? pollers : [], stats };
  }
  const reachability = enums.BuildIdTaskReachability.BUILD_ID_TASK_REACHABILITY_REACHABLE;
  return { versionsInfo: { '': { typesInfo, taskReachability: request.reportTaskReachability ? reachability : undefined } } };
}

/** Queues of Nexus tasks are never filled or polled yet: they look like any that nobody uses. */
const queueName = (namespace: Namespace, queue: string, type: number): QueueName => ({
  namespaceId: namespace.id,
  kind: type as 1 | 2,
  queue,
});

const configOf = (engine: Engine, namespace: Namespace, queue: string, kind: number): Promise<TaskQueueConfig | undefined> =>
  engine.storedQueueConfigs.read({ namespaceId: namespace.id, kind, queue });

/** The limit of the queue: as this node enforces it, or, where only others are polled, as their latest poll asks for it. */
function effective(
  engine: Engine,
  name: QueueName,
  config: TaskQueueConfig,
  report: QueueReport,
): temporal.api.workflowservice.v1.DescribeTaskQueueResponse.IEffectiveRateLimit {
  const latest = [...report.pollers].sort((a, b) => b.lastAccessMs - a.lastAccessMs)[0];
  const { perSecond, source } = effectiveRate(config, engine.queues.find(name)?.workerRate ?? latest?.queuePerSecond);
  return { requestsPerSecond: perSecond ?? NO_LIMIT_PER_SECOND, rateLimitSource: source };
}

interface Described {
  pollers: PollerInfo[];
  stats: Stats | undefined;
  statsByPriorityKey: Record<number, Stats>;
  report: QueueReport;
}

async function describeOne(engine: Engine, name: QueueName, withStats: boolean): Promise<Described> {
  const report = await reportOfAllNodes(engine, name);
  const pollers = report.pollers.map((p) => ({
    identity: p.identity,
    lastAccessTime: toTimestamp(p.lastAccessMs),
    ratePerSecond: p.queuePerSecond ?? POLLER_RATE,
    workerVersionCapabilities: p.workerVersionCapabilities,
    deploymentOptions: p.deploymentOptions,
  }));
  if (!withStats) return { pollers, stats: undefined, statsByPriorityKey: {}, report };
  return { pollers, report, ...(await queueStats(engine, name, report)) };
}

interface Level {
  count: number;
  oldestMs: number | undefined;
  added: number;
  dispatched: number;
}

const EMPTY: Level = { count: 0, oldestMs: undefined, added: 0, dispatched: 0 };

async function queueStats(engine: Engine, name: QueueName, report: QueueReport): Promise<Pick<Described, 'stats' | 'statsByPriorityKey'>> {
  const nowMs = engine.clock.now();
  const levels = new Map<number, Level>();
  for (const { priority, count, oldestMs } of await engine.tasks.stats(name)) levels.set(priority, { ...EMPTY, count, oldestMs });
  for (const { priority, added, dispatched } of report.rates)
    levels.set(priority, { ...(levels.get(priority) ?? EMPTY), added, dispatched });
  if (levels.size === 0) levels.set(MIDDLE_RANK.priority, EMPTY);
  const stats = ({ count, oldestMs, added, dispatched }: Level): Stats => ({
    approximateBacklogCount: int64(count),
    approximateBacklogAge: toDuration(oldestMs === undefined ? 0 : Math.max(0, nowMs - oldestMs)),
    tasksAddRate: added,
    tasksDispatchRate: dispatched,
    rateLimitingActive: report.held,
  });
  const whole = [...levels.values()].reduce((a, b) => ({
    count: a.count + b.count,
    oldestMs: Math.min(a.oldestMs ?? Number.POSITIVE_INFINITY, b.oldestMs ?? Number.POSITIVE_INFINITY),
    added: a.added + b.added,
    dispatched: a.dispatched + b.dispatched,
  }));
  if (whole.oldestMs === Number.POSITIVE_INFINITY) whole.oldestMs = undefined;
  return { stats: stats(whole), statsByPriorityKey: Object.fromEntries([...levels].map(([priority, level]) => [priority, stats(level)])) };
}

/** Queues of this server have one partition each. */
export async function listPartitions(engine: Engine, request: PartitionsRequest, _call: Call): Promise<object> {
  await engine.registry.require(request.namespace);
  refuse(taskQueueProblem(request.taskQueue, { lengthMax: engine.limits.idLengthMax, reservedAllowed: true }));
  const partitions = [{ key: request.taskQueue!.name, ownerHostName: engine.nodeId }];
  return { activityTaskQueuePartitions: partitions, workflowTaskQueuePartitions: partitions };
}
