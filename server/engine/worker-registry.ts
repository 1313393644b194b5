/** RecordWorkerHeartbeat, ListWorkers, CountWorkers and DescribeWorker: what workers say of themselves, for as long as they keep saying it. */
import { api, enums, type temporal } from '../core/api.js';
import { invalidArgument, notFound } from '../core/errors.js';
import { requireIdentity } from '../core/validate/identity.js';
import { refuse } from '../core/validate/problem.js';
import { exceeds, nulProblem } from '../core/validate/text-length.js';
import { type Heartbeat, workerQuery } from '../core/worker-query.js';
import type { Namespace } from '../storage/namespaces.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';

type RecordRequest = temporal.api.workflowservice.v1.IRecordWorkerHeartbeatRequest;
type ListRequest = temporal.api.workflowservice.v1.IListWorkersRequest;
type ListResponse = temporal.api.workflowservice.v1.IListWorkersResponse;
type CountRequest = temporal.api.workflowservice.v1.ICountWorkersRequest;
type DescribeRequest = temporal.api.workflowservice.v1.IDescribeWorkerRequest;

const Codec = api.worker.v1.WorkerHeartbeat;
/** Workers say how they are every half minute or minute: one that has not for so long is dead. */
export const WORKER_REMEMBERED_MS = 5 * 60_000;
const BATCH = 1_000;
/** Queues of the system's own workers. */
const SYSTEM_QUEUE = /^temporal-sys-/;

export async function recordWorkerHeartbeat(engine: Engine, request: RecordRequest, _call: Call): Promise<object> {
  const namespace = await engine.registry.require(request.namespace);
  requireIdentity(request.identity, engine.limits.idLengthMax);
  await recordHeartbeats(engine, namespace, request.workerHeartbeat ?? []);
  return {};
}

/** Heartbeats also come with other calls. A worker that has stopped is forgotten at once. */
export async function recordHeartbeats(engine: Engine, namespace: Namespace, heartbeats: readonly Heartbeat[]): Promise<void> {
  const byKey = new Map(heartbeats.map((h) => [h.workerInstanceKey ?? '', h])); // the last word of each counts
  for (const key of byKey.keys()) {
    refuse(exceeds(key, engine.limits.idLengthMax) ? 'WorkerInstanceKey length exceeds limit.' : nulProblem('WorkerInstanceKey', key));
  }
  if (byKey.size === 0) return;
  const stopped = [...byKey].filter(([, h]) => h.status === enums.WorkerStatus.WORKER_STATUS_SHUTDOWN).map(([key]) => key);
  const alive = [...byKey].filter(([key]) => !stopped.includes(key)).map(([key, h]) => ({ key, heartbeat: Codec.encode(h).finish() }));
  await engine.workers.record(namespace.id, alive, stopped, engine.wall.now());
}

/** The workers of a namespace that a query is about, in the order of their keys. */
async function* workersOf(
  engine: Engine,
  namespace: Namespace,
  request: { query?: string | null; includeSystemWorkers?: boolean | null },
  after: string | null,
): AsyncGenerator<Heartbeat> {
  const matches = workerQuery(request.query ?? '');
  const sinceMs = engine.wall.now() - WORKER_REMEMBERED_MS;
  for (let last: string | null = after, more = true; more; ) {
    const rows = await engine.workers.list(namespace.id, last, sinceMs, BATCH);
    more = rows.length === BATCH;
    for (const { key, heartbeat } of rows) {
      last = key;
      const decoded = Codec.decode(heartbeat);
      if (!request.includeSystemWorkers && SYSTEM_QUEUE.test(decoded.taskQueue)) continue;
      if (matches(decoded)) yield decoded;
    }
  }
}

export async function listWorkers(engine: Engine, request: ListRequest, _call: Call): Promise<ListResponse> {
  const namespace = await engine.registry.require(request.namespace);
  const size = request.pageSize && request.pageSize > 0 ? request.pageSize : Number.POSITIVE_INFINITY;
  const found: Heartbeat[] = [];
  let more = false;
  for await (const heartbeat of workersOf(engine, namespace, request, afterOf(request.nextPageToken))) {
    more = found.length === size;
    if (more) break;
    found.push(heartbeat);
  }
  return {
    workersInfo: found.map((workerHeartbeat) => ({ workerHeartbeat })),
    workers: found.map(shortOf),
    nextPageToken: more ? Buffer.from(JSON.stringify({ l: found.at(-1)!.workerInstanceKey })) : undefined,
  };
}

export async function countWorkers(engine: Engine, request: CountRequest, _call: Call): Promise<object> {
  const namespace = await engine.registry.require(request.namespace);
  let count = 0;
  for await (const _ of workersOf(engine, namespace, request, null)) count++;
  return { count };
}

export async function describeWorker(engine: Engine, request: DescribeRequest, _call: Call): Promise<object> {
  const namespace = await engine.registry.require(request.namespace);
  const key = request.workerInstanceKey ?? '';
  const known = key.includes('\0') ? undefined : await engine.workers.find(namespace.id, key, engine.wall.now() - WORKER_REMEMBERED_MS);
  if (!known) throw notFound(`Worker ${key} not found`);
  return { workerInfo: { workerHeartbeat: Codec.decode(known) } };
}

const shortOf = (h: Heartbeat): temporal.api.worker.v1.IWorkerListInfo => ({
  workerInstanceKey: h.workerInstanceKey,
  workerIdentity: h.workerIdentity,
  taskQueue: h.taskQueue,
  deploymentVersion: h.deploymentVersion,
  sdkName: h.sdkName,
  sdkVersion: h.sdkVersion,
  status: h.status,
  startTime: h.startTime,
  hostName: h.hostInfo?.hostName,
  workerGroupingKey: h.hostInfo?.workerGroupingKey,
  processId: h.hostInfo?.processId,
  plugins: h.plugins,
  drivers: h.drivers,
});

function afterOf(token: Uint8Array | null | undefined): string | null {
  if (!token?.length) return null;
  try {
    const { l } = JSON.parse(Buffer.from(token).toString('utf8')) as { l?: unknown };
    if (typeof l === 'string' && !l.includes('\0')) return l;
  } catch {
    // said below
  }
  throw invalidArgument('invalid next_page_token');
}
