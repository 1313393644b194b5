/**
 * Run state <-> the JSON bytes of its two columns. They hold what the row's other columns do not say and what is not as in a blank state:
 * every transition writes the snapshot, and most of a state is blank. Byte strings become {"$b": base64}.
 */
import { blankState } from '../core/blank-state.js';
import { dictionary } from '../core/dictionary.js';
import { usualBuildIds } from '../core/kinds/completion-marks.js';
import type { Activity, ResetPoint, RetryPolicy, RunInfo, RunState, WorkflowTask } from '../core/run-state.js';
import { jsonOf, member, members, objectOf } from './json-members.js';

/** Columns of a run's row that hold parts of its state; some are parts of its info. */
export interface StateColumns {
  run_id: string;
  namespace_id: string;
  workflow_id: string;
  status: number;
  workflow_type: string;
  task_queue: string;
  start_ms: number;
  execution_ms: number;
  close_ms: number | null;
  next_event_id: number;
  history_bytes: number;
  transitions: number;
  /** Null: the run itself, as for its root. */
  first_run_id: string | null;
  root_workflow_id: string | null;
  root_run_id: string | null;
  info: Buffer;
  snapshot: Buffer;
  memo: Buffer | null;
  search_attributes: Buffer | null;
}

/** Those columns, for a select. */
export const STATE_COLUMNS = [
  'run_id, namespace_id, workflow_id, status, workflow_type, task_queue, start_ms, execution_ms, close_ms, next_event_id, history_bytes, transitions',
  'first_run_id, root_workflow_id, root_run_id, info, snapshot, memo, search_attributes',
].join(', ');

const BLANK = blankState({ namespaceId: '', namespace: '', workflowId: '', runId: '', requestId: '' });

const RETRY: RetryPolicy = { initialIntervalMs: 1_000, coefficient: 2, maximumIntervalMs: 100_000, maximumAttempts: 0, nonRetryableTypes: [] };

/** The times that are missing are those of the first scheduling. */
const ACTIVITY: Activity = {
  scheduledEventId: 0,
  activityId: '',
  type: '',
  queue: '',
  attempt: 1,
  scheduledMs: 0,
  attemptScheduledMs: 0,
  queued: true,
  startedMs: 0,
  requestId: '',
  identity: '',
  scheduleToCloseMs: 0,
  scheduleToStartMs: 0,
  startToCloseMs: 0,
  heartbeatMs: 0,
  retry: null,
  lastFailure: null,
  lastIdentity: '',
  lastAttemptCompletedMs: 0,
  heartbeatDetails: null,
  lastHeartbeatMs: 0,
  cancelRequestedEventId: 0,
  stamp: 0,
  paused: null,
  resetRequested: false,
  resetHeartbeat: false,
  priority: null,
};

const WORKFLOW_TASK: WorkflowTask = {
  kind: 'normal',
  written: true,
  scheduledEventId: 0,
  startedEventId: 0,
  attempt: 1,
  queue: '',
  sticky: false,
  scheduledMs: 0,
  originalScheduledMs: 0,
  startedMs: 0,
  startToCloseMs: 0,
  scheduleToStartMs: 0,
  requestId: '',
  identity: '',
  historySizeBytes: 0,
  suggestReasons: [],
  workerVersion: null,
};

const RESET_POINT: ResetPoint = { buildId: '', binaryChecksum: '', runId: '', firstWorkflowTaskCompletedId: 0, createMs: 0, expireMs: 0, resettable: true };

/** The first event, WorkflowExecutionStarted. */
const CREATED = { eventId: 1, eventType: 1 };

/** Info that other columns say. */
const INFO_IN_COLUMNS = [
  'runId', 'namespaceId', 'workflowId', 'workflowType', 'taskQueue', 'startMs', 'executionMs', 'firstRunId', 'rootWorkflowId', 'rootRunId',
] satisfies (keyof RunInfo)[];
const INFO_APART: ReadonlySet<string> = new Set([...INFO_IN_COLUMNS, ...(['originalRunId', 'originalStartMs', 'retry'] satisfies (keyof RunInfo)[])]);

/** State that other columns say. */
const STATE_IN_COLUMNS = [
  'info', 'memo', 'searchAttributes', 'status', 'closeMs', 'nextEventId', 'historyBytes', 'transitions',
] satisfies (keyof RunState)[];
const STATE_APART: ReadonlySet<string> = new Set([
  ...STATE_IN_COLUMNS,
  ...(['activities', 'workflowTask', 'lastWorkerVersion', 'buildIds', 'closeEventId', 'requestIds', 'resetPoints'] satisfies (keyof RunState)[]),
]);

const ACTIVITY_APART: ReadonlySet<string> = new Set(['scheduledEventId', 'queue', 'attemptScheduledMs', 'retry'] satisfies (keyof Activity)[]);
const TASK_APART: ReadonlySet<string> = new Set(['queue'] satisfies (keyof WorkflowTask)[]);
const NONE: ReadonlySet<string> = new Set();

function decode(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('$b' in value)) return value;
  // a record whose keys users choose may have such a key too, but never such a value
  return typeof value.$b === 'string' ? Buffer.from(value.$b, 'base64') : value;
}

const toBytes = (json: string): Buffer => Buffer.from(json, 'utf8');
const fromBytes = (bytes: Buffer): unknown => JSON.parse(bytes.toString('utf8'), decode);

export function encodeInfo({ info }: RunState): Buffer {
  let json = members(info, BLANK.info, INFO_APART);
  if (info.originalRunId && info.originalRunId !== info.runId) json += member('originalRunId', info.originalRunId);
  if (info.originalStartMs && info.originalStartMs !== info.startMs) json += member('originalStartMs', info.originalStartMs);
  if (info.retry) json += `,"retry":${objectOf(members(info.retry, RETRY, NONE))}`;
  return toBytes(objectOf(json));
}

export function encodeSnapshot(state: RunState): Buffer {
  const { info, activities, workflowTask, resetPoints } = state;
  let json = members(state, BLANK, STATE_APART);
  let pending = '';
  for (const id in activities) pending += `,"${id}":${activityJson(activities[id]!, info)}`;
  if (pending) json += `,"activities":${objectOf(pending)}`;
  if (workflowTask) {
    let task = members(workflowTask, WORKFLOW_TASK, TASK_APART);
    if (workflowTask.queue && workflowTask.queue !== usualQueue(workflowTask, state)) task += member('queue', workflowTask.queue);
    json += `,"workflowTask":${objectOf(task)}`;
  }
  json += buildsOf(state);
  if (state.closeEventId && state.closeEventId !== state.nextEventId - 1) json += member('closeEventId', state.closeEventId);
  if (!createRequestAlone(state)) json += member('requestIds', state.requestIds);
  if (resetPoints.length > 0) json += `,"resetPoints":[${resetPoints.map((point) => resetPointJson(point, state)).join(',')}]`;
  return toBytes(objectOf(json));
}

/** The build of the last worker is said once: most runs know no other. */
function buildsOf({ lastWorkerVersion: last, buildIds }: RunState): string {
  if (!last || last.versioned) return (last ? member('lastWorkerVersion', last) : '') + (buildIds.length > 0 ? member('buildIds', buildIds) : '');
  const usual = usualBuildIds(last.buildId);
  const asUsual = buildIds.length === usual.length && buildIds.every((id, i) => id === usual[i]);
  return member('lastWorkerVersion', { buildId: last.buildId }) + (asUsual ? '' : member('buildIds', buildIds));
}

function resetPointJson(point: ResetPoint, { info, lastWorkerVersion }: RunState): string {
  const ofLastWorker = point.buildId !== '' && point.buildId === lastWorkerVersion?.buildId;
  const usual = { ...RESET_POINT, runId: info.runId, ...(ofLastWorker && { buildId: point.buildId }) };
  return objectOf(members(point, usual, NONE) + (ofLastWorker ? member('ofLastWorker', true) : ''));
}

function resetPointOf({ ofLastWorker, ...json }: Partial<ResetPoint> & { ofLastWorker?: boolean }, { info, lastWorkerVersion }: RunState): ResetPoint {
  return { ...RESET_POINT, runId: info.runId, buildId: (ofLastWorker && lastWorkerVersion?.buildId) || '', ...json };
}

/** The usual requests of a run: the one that made it. */
function createRequestAlone({ info: { createRequestId }, requestIds }: RunState): boolean {
  let ids = 0;
  for (const _ in requestIds) ids++;
  if (!createRequestId) return ids === 0;
  const made = requestIds[createRequestId];
  return ids === 1 && made?.eventId === CREATED.eventId && made.eventType === CREATED.eventType;
}

function activityJson(activity: Activity, info: RunInfo): string {
  let json = members(activity, ACTIVITY, ACTIVITY_APART);
  if (activity.queue && activity.queue !== info.taskQueue) json += member('queue', activity.queue);
  if (activity.attemptScheduledMs !== activity.scheduledMs) json += member('attemptScheduledMs', activity.attemptScheduledMs);
  if (activity.retry) json += `,"retry":${objectOf(members(activity.retry, RETRY, NONE))}`;
  return objectOf(json);
}

/** Where a workflow task waits unless something else is said. */
const usualQueue = (task: { sticky: boolean }, { info, sticky }: RunState): string => (task.sticky && sticky ? sticky.queue : info.taskQueue);

const retryOf = (json: unknown): RetryPolicy | null => (json ? { ...RETRY, nonRetryableTypes: [], ...(json as Partial<RetryPolicy>) } : null);

export function decodeState(row: StateColumns): RunState {
  const json = fromBytes(row.info) as RunInfo;
  const identity = { namespaceId: row.namespace_id, namespace: json.namespace ?? '', workflowId: row.workflow_id, runId: row.run_id };
  const state = blankState({ ...identity, requestId: json.createRequestId ?? '' });
  Object.assign(state.info, infoInColumns(row), json);
  const { info } = state;
  info.retry = retryOf(json.retry);
  if (info.originalStartMs === 0) info.originalStartMs = info.startMs;
  const { updatesAccepted, updatesCompleted } = state;
  const snapshot = fromBytes(row.snapshot) as Partial<RunState>;
  Object.assign(state, snapshot, { info });
  // these were records while nothing was put into them yet
  if (!Array.isArray(state.updatesAccepted)) state.updatesAccepted = updatesAccepted;
  if (!Array.isArray(state.updatesCompleted)) state.updatesCompleted = updatesCompleted;
  state.timers = dictionary(state.timers);
  const created = info.createRequestId ? { [info.createRequestId]: { ...CREATED } } : {};
  state.requestIds = dictionary(snapshot.requestIds ?? created);
  for (const [id, activity] of Object.entries(state.activities)) state.activities[Number(id)] = activityOf(Number(id), activity, info);
  if (snapshot.workflowTask) {
    const task = { ...WORKFLOW_TASK, suggestReasons: [], ...(snapshot.workflowTask as Partial<WorkflowTask>) };
    task.queue ||= usualQueue(task, state);
    state.workflowTask = task;
  }
  restoreBuilds(state, snapshot);
  state.status = row.status;
  state.closeMs = row.close_ms ?? 0;
  state.nextEventId = row.next_event_id;
  state.historyBytes = row.history_bytes;
  state.transitions = row.transitions;
  if (state.closeMs > 0 && state.closeEventId === 0) state.closeEventId = state.nextEventId - 1;
  state.memo = row.memo;
  state.searchAttributes = row.search_attributes;
  return state;
}

/** Snapshots of earlier code say whether the version counts, and all builds. */
function restoreBuilds(state: RunState, { lastWorkerVersion: last, buildIds }: Partial<RunState>): void {
  if (last && !('versioned' in last)) {
    const { buildId } = last as { buildId: string };
    state.lastWorkerVersion = { buildId, versioned: false };
    state.buildIds = buildIds ?? usualBuildIds(buildId);
  }
  state.resetPoints = state.resetPoints.map((point) => resetPointOf(point, state));
}

const infoInColumns = (row: StateColumns): Partial<RunInfo> => ({
  workflowType: row.workflow_type,
  taskQueue: row.task_queue,
  startMs: row.start_ms,
  executionMs: row.execution_ms,
  firstRunId: row.first_run_id ?? row.run_id,
  rootWorkflowId: row.root_workflow_id ?? row.workflow_id,
  rootRunId: row.root_run_id ?? row.run_id,
});

function activityOf(scheduledEventId: number, json: Partial<Activity>, info: RunInfo): Activity {
  const activity = { ...ACTIVITY, scheduledEventId, queue: info.taskQueue, attemptScheduledMs: json.scheduledMs ?? 0, ...json };
  activity.retry = retryOf(json.retry);
  return activity;
}

export const encodeMessage = (message: object): Buffer => toBytes(jsonOf(message));
export const decodeMessage = <M>(bytes: Buffer): M => fromBytes(bytes) as M;
