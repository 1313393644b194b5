/** Lists and counts of runs: ListWorkflowExecutions, Scan, Count, and the older ListOpen/ListClosed with their filters. */
import { api, enums, int64, fromTimestamp, type Payload, type temporal, toDuration, toTimestamp } from '../core/api.js';
import { invalidArgument } from '../core/errors.js';
import { checkListQuery, type CheckedQuery, type Filter } from '../core/list-query/check.js';
import { parseListQuery } from '../core/list-query/parse.js';
import { LIST_PAGE_MAX, pageSize } from '../core/validate/page-size.js';
import { listedAttributes } from '../core/system-attributes.js';
import { refuse } from '../core/validate/problem.js';
import { nulProblem } from '../core/validate/text-length.js';
import type { ListedRun, ListPosition } from '../storage/listing.js';
import type { Namespace } from '../storage/namespaces.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { customAttributes } from './namespace-registry.js';

type ListRequest = temporal.api.workflowservice.v1.IListWorkflowExecutionsRequest;
type ListResponse = temporal.api.workflowservice.v1.IListWorkflowExecutionsResponse;
type OpenRequest = temporal.api.workflowservice.v1.IListOpenWorkflowExecutionsRequest;
type ClosedRequest = temporal.api.workflowservice.v1.IListClosedWorkflowExecutionsRequest;
type CountRequest = temporal.api.workflowservice.v1.ICountWorkflowExecutionsRequest;
type ExecutionInfo = temporal.api.workflow.v1.IWorkflowExecutionInfo;

const T = enums.IndexedValueType;
const S = enums.WorkflowExecutionStatus;
const OPEN: number[] = [S.WORKFLOW_EXECUTION_STATUS_RUNNING, S.WORKFLOW_EXECUTION_STATUS_PAUSED];
const CLOSED: number[] = Object.values(S).filter((status): status is number => typeof status === 'number' && status > 0 && !OPEN.includes(status));

export async function listRuns(engine: Engine, request: ListRequest, _call: Call): Promise<ListResponse> {
  const namespace = await engine.registry.require(request.namespace);
  const query = readQuery(request.query, namespace);
  if (query.groupBy) throw invalidArgument("invalid query: operation is not supported: 'GROUP BY' clause");
  return page(engine, namespace, query, request.pageSize ?? 0, request.nextPageToken);
}

function readQuery(text: string | null | undefined, namespace: Namespace): CheckedQuery {
  refuse(nulProblem('Query', text ?? ''));
  return checkListQuery(parseListQuery(text ?? ''), customAttributes(namespace));
}

async function page(
  engine: Engine,
  namespace: Namespace,
  query: CheckedQuery,
  size: number,
  token: Uint8Array | null | undefined,
): Promise<ListResponse> {
  const limit = pageSize(size, LIST_PAGE_MAX);
  const runs = await engine.listing.list(namespace.id, query, limit, token?.length ? decodePosition(token) : undefined);
  const last = runs.length === limit ? runs[runs.length - 1] : undefined;
  return { executions: runs.map((run) => listedInfo(run)), nextPageToken: last && encodePosition(last) };
}

const encodePosition = ({ closeMs, startMs, runId }: ListPosition): Buffer =>
  Buffer.from(JSON.stringify({ closeMs, startMs, runId }), 'utf8');

function decodePosition(bytes: Uint8Array): ListPosition {
  try {
    const { closeMs, startMs, runId } = JSON.parse(Buffer.from(bytes).toString('utf8')) as ListPosition;
    if ((closeMs === null || Number.isSafeInteger(closeMs)) && Number.isSafeInteger(startMs) && /^[0-9a-f-]{36}$/.test(runId))
      return { closeMs, startMs, runId };
  } catch {
    // not one of ours
  }
  throw invalidArgument('Invalid NextPageToken.');
}

/** None at all is left out, as a message of its own would say nothing. */
const shown = (indexedFields: { [name: string]: Payload }): ExecutionInfo['searchAttributes'] => (Object.keys(indexedFields).length > 0 ? { indexedFields } : undefined);

function listedInfo(run: ListedRun): ExecutionInfo {
  const closed = run.closeMs !== null;
  return {
    execution: { workflowId: run.workflowId, runId: run.runId },
    type: { name: run.workflowType },
    startTime: toTimestamp(run.startMs),
    executionTime: toTimestamp(run.executionMs),
    closeTime: closed ? toTimestamp(run.closeMs!) : undefined,
    status: run.status,
    historyLength: closed ? int64(run.nextEventId - 1) : undefined,
    historySizeBytes: closed ? int64(run.historyBytes) : undefined,
    stateTransitionCount: closed ? int64(run.transitions) : undefined,
    executionDuration: closed ? toDuration(run.closeMs! - run.executionMs) : undefined,
    taskQueue: run.taskQueue,
    memo: run.memo ? api.common.v1.Memo.decode(run.memo) : {},
    searchAttributes: shown(listedAttributes(run)),
    parentExecution: run.parentWorkflowId ? { workflowId: run.parentWorkflowId, runId: run.parentRunId } : undefined,
    rootExecution: { workflowId: run.rootWorkflowId, runId: run.rootRunId },
  };
}

export async function countRuns(engine: Engine, request: CountRequest, _call: Call): Promise<object> {
  const namespace = await engine.registry.require(request.namespace);
  const query = readQuery(request.query, namespace);
  const counts = await engine.listing.count(namespace.id, query);
  const total = counts.reduce((sum, c) => sum + c.count, 0);
  if (!query.groupBy) return { count: int64(total) };
  const groups = counts.map(({ status, count }) => ({ groupValues: [statusPayload(status!)], count: int64(count) }));
  groups.sort((a, b) => Buffer.compare(a.groupValues[0]!.data, b.groupValues[0]!.data));
  return { count: int64(total), groups };
}

const statusName = (status: number): string =>
  (enums.WorkflowExecutionStatus[status] ?? '')
    .slice('WORKFLOW_EXECUTION_STATUS_'.length)
    .toLowerCase()
    .replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());

const statusPayload = (status: number): { metadata: Record<string, Buffer>; data: Buffer } => ({
  metadata: { encoding: Buffer.from('json/plain'), type: Buffer.from('Keyword') },
  data: Buffer.from(JSON.stringify(statusName(status))),
});

const compare = (name: string, type: number, operator: '=' | '>=' | '<=' | '!=', value: string | number): Filter => ({
  type: 'compare',
  attribute: { name, type, system: true },
  operator,
  value,
});

/** Runs that have one of these statuses. */
const statusIn = (values: number[]): Filter => ({
  type: 'in',
  attribute: { name: 'ExecutionStatus', type: T.INDEXED_VALUE_TYPE_KEYWORD, system: true },
  negated: false,
  values,
});

/** The filters that both of the older lists have. */
function oldFilters(request: OpenRequest | ClosedRequest): Filter[] {
  const parts: Filter[] = [];
  refuse(nulProblem('WorkflowId', request.executionFilter?.workflowId ?? ''));
  refuse(nulProblem('RunId', request.executionFilter?.runId ?? ''));
  refuse(nulProblem('WorkflowType', request.typeFilter?.name ?? ''));
  const { earliestTime, latestTime } = request.startTimeFilter ?? {};
  const earliest = fromTimestamp(earliestTime);
  const latest = latestTime ? fromTimestamp(latestTime) : Number.POSITIVE_INFINITY;
  if (earliest > latest) throw invalidArgument('EarliestTime in StartTimeFilter should not be larger than LatestTime.');
  if (earliestTime) parts.push(compare('StartTime', T.INDEXED_VALUE_TYPE_DATETIME, '>=', earliest));
  if (latestTime) parts.push(compare('StartTime', T.INDEXED_VALUE_TYPE_DATETIME, '<=', latest));
  if (request.executionFilter?.workflowId)
    parts.push(compare('WorkflowId', T.INDEXED_VALUE_TYPE_KEYWORD, '=', request.executionFilter.workflowId));
  if (request.executionFilter?.runId) parts.push(compare('RunId', T.INDEXED_VALUE_TYPE_KEYWORD, '=', request.executionFilter.runId));
  if (request.typeFilter?.name) parts.push(compare('WorkflowType', T.INDEXED_VALUE_TYPE_KEYWORD, '=', request.typeFilter.name));
  return parts;
}

export async function listOpenRuns(engine: Engine, request: OpenRequest, _call: Call): Promise<ListResponse> {
  const namespace = await engine.registry.require(request.namespace);
  const parts = [statusIn(OPEN), ...oldFilters(request)];
  return page(
    engine,
    namespace,
    { filter: { type: 'and', parts }, groupBy: undefined },
    request.maximumPageSize ?? 0,
    request.nextPageToken,
  );
}

export async function listClosedRuns(engine: Engine, request: ClosedRequest, _call: Call): Promise<ListResponse> {
  const namespace = await engine.registry.require(request.namespace);
  const status = request.statusFilter?.status;
  const parts = [statusIn(status ? [status] : CLOSED), ...oldFilters(request)];
  return page(
    engine,
    namespace,
    { filter: { type: 'and', parts }, groupBy: undefined },
    request.maximumPageSize ?? 0,
    request.nextPageToken,
  );
}

export async function listArchivedRuns(engine: Engine, request: { namespace?: string | null }, _call: Call): Promise<ListResponse> {
  await engine.registry.require(request.namespace);
  throw invalidArgument('Cluster is not configured for visibility archival.');
}
