/** DescribeTaskQueue and ListTaskQueuePartitions: who polls a queue, and what waits in it. */
import { enums, int64, type temporal, toDuration, toTimestamp } from '../core/api.js';
import { invalidArgument } from '../core/errors.js';
import { refuse } from '../core/validate/problem.js';
import { taskQueueProblem } from '../core/validate/task-queue.js';
import type { Namespace } from '../storage/namespaces.js';
import type { QueueStats } from '../storage/tasks.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';

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
  const stats = request.reportStats ? await queueStats(engine, namespace, queue, type) : undefined;
  return {
    pollers: pollers(engine, namespace, queue, type),
    stats: stats?.all,
    statsByPriorityKey: stats?.byPriority ?? {},
    versioningInfo: { currentVersion: '__unversioned__', updateTime: NEVER },
    effectiveRateLimit: { requestsPerSecond: NO_LIMIT_PER_SECOND, rateLimitSource: enums.RateLimitSource.RATE_LIMIT_SOURCE_SYSTEM },
    taskQueueStatus: request.includeTaskQueueStatus
      ? { ratePerSecond: NO_LIMIT_PER_SECOND, taskIdBlock: { startId: int64(1), endId: int64(100_000) } }
      : undefined,
  };
}

async function enhanced(engine: Engine, namespace: Namespace, queue: string, request: Request): Promise<Response> {
  const types = request.taskQueueTypes?.length ? request.taskQueueTypes : [TYPE.TASK_QUEUE_TYPE_WORKFLOW, TYPE.TASK_QUEUE_TYPE_ACTIVITY];
  const typesInfo: Record<number, temporal.api.taskqueue.v1.ITaskQueueTypeInfo> = {};
  for (const type of types) {
    typesInfo[type] = {
      pollers: request.reportPollers ? pollers(engine, namespace, queue, type) : [],
      stats: request.reportStats ? (await queueStats(engine, namespace, queue, type)).all : undefined,
    };
  }
  const reachability = enums.BuildIdTaskReachability.BUILD_ID_TASK_REACHABILITY_REACHABLE;
  return { versionsInfo: { '': { typesInfo, taskReachability: request.reportTaskReachability ? reachability : undefined } } };
}

const kindOf = (type: number): 1 | 2 => (type === TYPE.TASK_QUEUE_TYPE_ACTIVITY ? 2 : 1);

function pollers(engine: Engine, namespace: Namespace, queue: string, type: number): PollerInfo[] {
  return engine.queues.pollersOf({ namespaceId: namespace.id, kind: kindOf(type), queue }).map((p) => ({
    identity: p.identity,
    lastAccessTime: toTimestamp(p.lastAccessMs),
    ratePerSecond: POLLER_RATE,
  }));
}

async function queueStats(
  engine: Engine,
  namespace: Namespace,
  queue: string,
  type: number,
): Promise<{ all: Stats; byPriority: Record<number, Stats> }> {
  const rows = await engine.tasks.stats({ namespaceId: namespace.id, kind: kindOf(type), queue });
  const nowMs = engine.clock.now();
  const stats = ({ count, oldestMs }: Pick<QueueStats, 'count' | 'oldestMs'>): Stats => ({
    approximateBacklogCount: int64(count),
    approximateBacklogAge: toDuration(oldestMs === undefined ? 0 : Math.max(0, nowMs - oldestMs)),
  });
  const count = rows.reduce((sum, r) => sum + r.count, 0);
  const oldest = rows.map((r) => r.oldestMs).filter((ms) => ms !== undefined);
  const all = stats({ count, oldestMs: oldest.length > 0 ? Math.min(...oldest) : undefined });
  const byPriority = Object.fromEntries(rows.map((r) => [r.priority, stats(r)]));
  return { all, byPriority: rows.length > 0 ? byPriority : { 3: all } };
}

/** Queues of this server have one partition each. */
export async function listPartitions(engine: Engine, request: PartitionsRequest, _call: Call): Promise<object> {
  await engine.registry.require(request.namespace);
  refuse(taskQueueProblem(request.taskQueue, { lengthMax: engine.limits.idLengthMax, reservedAllowed: true }));
  const partitions = [{ key: request.taskQueue!.name, ownerHostName: engine.nodeId }];
  return { activityTaskQueuePartitions: partitions, workflowTaskQueuePartitions: partitions };
}
