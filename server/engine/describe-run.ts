/** DescribeWorkflowExecution: what a run is and what it waits for. */
import { api, enums, int64, type temporal, toDuration, toTimestamp } from '../core/api.js';
import { callbackOf } from '../core/kinds/callback.js';
import { resetPointToApi } from '../core/kinds/next-run.js';
import type { AttachedCallback, RunState } from '../core/run-state.js';
import { shownAttributes } from '../core/system-attributes.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { readRun } from './find-run.js';
import { pendingActivity } from './pending-activity.js';

type Request = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionRequest;
type Response = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse;
type ExecutionInfo = temporal.api.workflow.v1.IWorkflowExecutionInfo;
type ExtendedInfo = temporal.api.workflow.v1.IWorkflowExecutionExtendedInfo;
type PendingTask = temporal.api.workflow.v1.IPendingWorkflowTaskInfo;

export async function describeRun(engine: Engine, request: Request, _call: Call): Promise<Response> {
  const namespace = await engine.registry.require(request.namespace);
  const { state } = await readRun(engine, namespace, request.execution);
  const nowMs = engine.clock.now();
  return {
    executionConfig: executionConfig(state),
    workflowExecutionInfo: executionInfo(state),
    pendingActivities: Object.values(state.activities).map((activity) => pendingActivity(activity, nowMs)),
    pendingChildren: Object.values(state.children).map((child) => ({
      workflowId: child.workflowId,
      runId: child.runId,
      workflowTypeName: child.workflowType,
      initiatedId: int64(child.initiatedEventId),
      parentClosePolicy: child.parentClosePolicy,
    })),
    pendingWorkflowTask: pendingTask(state),
    callbacks: state.callbacks.map((callback) => callbackInfo(callback, nowMs)),
    workflowExtendedInfo: extendedInfo(state),
  };
}

function executionConfig({ info }: RunState): temporal.api.workflow.v1.IWorkflowExecutionConfig {
  return {
    taskQueue: { name: info.taskQueue, kind: enums.TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
    workflowExecutionTimeout: info.executionTimeoutMs ? toDuration(info.executionTimeoutMs) : undefined,
    workflowRunTimeout: info.runTimeoutMs || info.namesRunTimeout ? toDuration(info.runTimeoutMs) : undefined,
    defaultWorkflowTaskTimeout: toDuration(info.workflowTaskTimeoutMs),
    userMetadata: info.userMetadata ? api.sdk.v1.UserMetadata.decode(info.userMetadata) : undefined,
  };
}

/** How the open API writes "no time at all": the year 1. */
const NEVER = toTimestamp(-62_135_596_800_000);

function extendedInfo({ info, cancelRequested, requestIds, resetRunId, pause }: RunState): ExtendedInfo {
  const requestIdInfos = Object.fromEntries(
    Object.entries(requestIds).map(([requestId, { eventId, eventType }]) => [
      requestId,
      eventId ? { eventType, eventId: int64(eventId) } : { eventType, buffered: true },
    ]),
  );
  return {
    executionExpirationTime: info.executionExpirationMs ? toTimestamp(info.executionExpirationMs) : undefined,
    runExpirationTime: info.runExpirationMs ? toTimestamp(info.runExpirationMs) : NEVER,
    cancelRequested,
    lastResetTime: info.lastResetMs ? toTimestamp(info.lastResetMs) : undefined,
    originalStartTime: toTimestamp(info.originalStartMs),
    resetRunId,
    pauseInfo: pause ? { identity: pause.identity, reason: pause.reason, pausedTime: toTimestamp(pause.ms) } : undefined,
    requestIdInfos,
  };
}

const CALLBACK_STATES = {
  scheduled: enums.CallbackState.CALLBACK_STATE_SCHEDULED,
  'backing-off': enums.CallbackState.CALLBACK_STATE_BACKING_OFF,
  failed: enums.CallbackState.CALLBACK_STATE_FAILED,
  succeeded: enums.CallbackState.CALLBACK_STATE_SUCCEEDED,
};

/** A callback as it stands: it waits for the end of the run, and then is called until it has got through. */
function callbackInfo(attached: AttachedCallback, nowMs: number): temporal.api.workflow.v1.ICallbackInfo {
  const { registeredMs, calls } = attached;
  const known = { callback: callbackOf(attached), trigger: { workflowClosed: {} }, registrationTime: toTimestamp(registeredMs) };
  if (!calls) return { ...known, state: enums.CallbackState.CALLBACK_STATE_STANDBY };
  const waits = calls.nextMs > nowMs;
  return {
    ...known,
    state: calls.state === 'backing-off' && !waits ? CALLBACK_STATES.scheduled : CALLBACK_STATES[calls.state],
    attempt: calls.attempt,
    lastAttemptCompleteTime: calls.lastAttemptMs ? toTimestamp(calls.lastAttemptMs) : undefined,
    lastAttemptFailure: calls.lastFailure ? api.failure.v1.Failure.decode(calls.lastFailure) : undefined,
    nextAttemptScheduleTime: waits ? toTimestamp(calls.nextMs) : undefined,
  };
}

export function executionInfo(state: RunState): ExecutionInfo {
  const { info, lastWorkerVersion } = state;
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
    searchAttributes: { indexedFields: shownAttributes(state) },
    autoResetPoints: { points: state.resetPoints.map(resetPointToApi) },
    mostRecentWorkerVersionStamp: lastWorkerVersion
      ? { buildId: lastWorkerVersion.buildId, useVersioning: lastWorkerVersion.versioned }
      : undefined,
    workerDeploymentName: state.workerDeploymentName,
    parentNamespaceId: info.parent?.namespaceId,
    parentExecution: info.parent ? { workflowId: info.parent.workflowId, runId: info.parent.runId } : undefined,
    rootExecution: { workflowId: info.rootWorkflowId, runId: info.rootRunId },
    firstRunId: info.firstRunId,
    priority: info.priority ? api.common.v1.Priority.decode(info.priority) : undefined,
  };
}

function pendingTask({ workflowTask: task }: RunState): PendingTask | undefined {
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
