/** DescribeWorkflowExecution: what a run is and what it waits for. */
import { api, enums, int64, type Payload, type temporal, toDuration, toTimestamp } from '../core/api.js';
import { retryPolicyToApi } from '../core/retry-policy.js';
import { resetPointToApi } from '../core/kinds/next-run.js';
import { isRunning } from '../core/kinds/run.js';
import type { Activity, AttachedCallback, RunState } from '../core/run-state.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { readRun } from './find-run.js';

type Request = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionRequest;
type Response = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse;
type ExecutionInfo = temporal.api.workflow.v1.IWorkflowExecutionInfo;
const PENDING = enums.PendingActivityState;

export async function describeRun(engine: Engine, request: Request, _call: Call): Promise<Response> {
  const namespace = await engine.registry.require(request.namespace);
  const { state } = await readRun(engine, namespace, request.execution);
  const { info } = state;
  return {
    executionConfig: {
      taskQueue: { name: info.taskQueue, kind: enums.TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
      workflowExecutionTimeout: info.executionTimeoutMs ? toDuration(info.executionTimeoutMs) : undefined,
      workflowRunTimeout: info.runTimeoutMs || info.namesRunTimeout ? toDuration(info.runTimeoutMs) : undefined,
      defaultWorkflowTaskTimeout: toDuration(info.workflowTaskTimeoutMs),
      userMetadata: info.userMetadata ? api.sdk.v1.UserMetadata.decode(info.userMetadata) : undefined,
    },
    workflowExecutionInfo: executionInfo(state),
    pendingActivities: isRunning(state) ? Object.values(state.activities).map((a) => pendingActivity(a, engine.clock.now())) : [],
    pendingChildren: Object.values(state.children).map((c) => ({
      workflowId: c.workflowId,
      runId: c.runId,
      workflowTypeName: c.workflowType,
      initiatedId: int64(c.initiatedEventId),
      parentClosePolicy: c.parentClosePolicy,
    })),
    pendingWorkflowTask: pendingTask(state),
    callbacks: state.callbacks.map(callbackInfo),
    workflowExtendedInfo: extendedInfo(state),
  };
}

/** How the open API writes "no time at all": the year 1. */
const NEVER = toTimestamp(-62_135_596_800_000);

function extendedInfo(state: RunState): temporal.api.workflow.v1.IWorkflowExecutionExtendedInfo {
  const { info } = state;
  const requestIdInfos: Record<string, temporal.api.workflow.v1.IRequestIdInfo> = {};
  for (const [requestId, { eventId, eventType }] of Object.entries(state.requestIds)) {
    requestIdInfos[requestId] = eventId ? { eventType, eventId: int64(eventId) } : { eventType, buffered: true };
  }
  return {
    executionExpirationTime: info.executionExpirationMs ? toTimestamp(info.executionExpirationMs) : undefined,
    runExpirationTime: info.runExpirationMs ? toTimestamp(info.runExpirationMs) : NEVER,
    cancelRequested: state.cancelRequested,
    originalStartTime: toTimestamp(info.startMs),
    requestIdInfos,
  };
}

/** A callback as it stands: it waits for the end of the run. */
const callbackInfo = ({ callback, registeredMs }: AttachedCallback): temporal.api.workflow.v1.ICallbackInfo => ({
  callback: api.common.v1.Callback.decode(callback),
  trigger: { workflowClosed: {} },
  registrationTime: toTimestamp(registeredMs),
  state: enums.CallbackState.CALLBACK_STATE_STANDBY,
});

export function executionInfo(state: RunState): ExecutionInfo {
  const { info } = state;
  return {
    execution: { workflowId: info.workflowId, runId: info.runId },
    type: { name: info.workflowType },
    startTime: toTimestamp(info.startMs),
    executionTime: toTimestamp(info.executionMs),
    closeTime: state.closeMs ? toTimestamp(state.closeMs) : undefined,
    executionDuration: state.closeMs ? toDuration(state.closeMs - info.executionMs) : undefined,
    status: state.status,
    historyLength: int64(state.nextEventId - 1),
    historySizeBytes: int64(state.historyBytes),
    stateTransitionCount: int64(state.transitions),
    taskQueue: info.taskQueue,
    memo: state.memo ? api.common.v1.Memo.decode(state.memo) : {},
    searchAttributes: searchAttributesOf(state),
    autoResetPoints: { points: state.resetPoints.map(resetPointToApi) },
    parentNamespaceId: info.parent?.namespaceId,
    parentExecution: info.parent ? { workflowId: info.parent.workflowId, runId: info.parent.runId } : undefined,
    rootExecution: { workflowId: info.rootWorkflowId, runId: info.rootRunId },
    firstRunId: info.firstRunId,
    priority: info.priority ? api.common.v1.Priority.decode(info.priority) : undefined,
  };
}

function searchAttributesOf(state: RunState): temporal.api.common.v1.ISearchAttributes {
  const indexedFields = state.searchAttributes ? api.common.v1.SearchAttributes.decode(state.searchAttributes).indexedFields : {};
  if (state.buildIds.length > 0) indexedFields['BuildIds'] = keywordList(state.buildIds);
  return { indexedFields };
}

const keywordList = (values: readonly string[]): Payload => ({
  metadata: { encoding: Buffer.from('json/plain'), type: Buffer.from('KeywordList') },
  data: Buffer.from(JSON.stringify(values)),
});

function pendingActivity(a: Activity, nowMs: number): temporal.api.workflow.v1.IPendingActivityInfo {
  const state = a.startedMs
    ? a.cancelRequestedEventId
      ? PENDING.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED
      : a.paused
        ? PENDING.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED
        : PENDING.PENDING_ACTIVITY_STATE_STARTED
    : a.paused
      ? PENDING.PENDING_ACTIVITY_STATE_PAUSED
      : PENDING.PENDING_ACTIVITY_STATE_SCHEDULED;
  const waits = !a.startedMs && a.attemptScheduledMs > nowMs;
  return {
    activityId: a.activityId,
    activityType: { name: a.type },
    state,
    heartbeatDetails: a.heartbeatDetails ? api.common.v1.Payloads.decode(a.heartbeatDetails) : undefined,
    lastHeartbeatTime: a.lastHeartbeatMs ? toTimestamp(a.lastHeartbeatMs) : undefined,
    lastStartedTime: a.startedMs ? toTimestamp(a.startedMs) : undefined,
    attempt: a.attempt,
    maximumAttempts: a.retry?.maximumAttempts,
    scheduledTime: waits || !a.startedMs ? toTimestamp(a.attemptScheduledMs) : undefined,
    expirationTime: a.scheduleToCloseMs ? toTimestamp(a.scheduledMs + a.scheduleToCloseMs) : undefined,
    lastFailure: a.lastFailure ? api.failure.v1.Failure.decode(a.lastFailure) : undefined,
    lastWorkerIdentity: a.identity || a.lastIdentity,
    currentRetryInterval: waits ? toDuration(a.attemptScheduledMs - a.lastAttemptCompletedMs) : undefined,
    lastAttemptCompleteTime: a.lastAttemptCompletedMs ? toTimestamp(a.lastAttemptCompletedMs) : undefined,
    nextAttemptScheduleTime: waits ? toTimestamp(a.attemptScheduledMs) : undefined,
    paused: a.paused !== null,
    priority: a.priority ? api.common.v1.Priority.decode(a.priority) : undefined,
    activityOptions: {
      taskQueue: { name: a.queue, kind: enums.TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
      scheduleToCloseTimeout: toDuration(a.scheduleToCloseMs),
      scheduleToStartTimeout: toDuration(a.scheduleToStartMs),
      startToCloseTimeout: toDuration(a.startToCloseMs),
      heartbeatTimeout: toDuration(a.heartbeatMs),
      retryPolicy: a.retry ? retryPolicyToApi(a.retry) : undefined,
    },
  };
}

function pendingTask(state: RunState): temporal.api.workflow.v1.IPendingWorkflowTaskInfo | undefined {
  const task = state.workflowTask;
  if (!task) return undefined;
  const S = enums.PendingWorkflowTaskState;
  return {
    state: task.startedEventId ? S.PENDING_WORKFLOW_TASK_STATE_STARTED : S.PENDING_WORKFLOW_TASK_STATE_SCHEDULED,
    scheduledTime: toTimestamp(task.scheduledMs),
    originalScheduledTime: toTimestamp(task.originalScheduledMs),
    startedTime: task.startedMs ? toTimestamp(task.startedMs) : undefined,
    attempt: task.attempt,
  };
}
