/** The run that follows another in its chain (continue-as-new, retry, cron): it begins in the same commit that closes the one before. */
import { api, fromDuration, type HistoryEvent, int64, type temporal, toDuration, toTimestamp } from '../api.js';
import type { ResetPoint, RunState } from '../run-state.js';
import type { Turn } from '../turn.js';
import { callbackOf } from './callback.js';
import { beginRun, scheduleFirstTask } from './run.js';

export type StartedAttributes = temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes;

export interface NextRun {
  runId: string;
  /** temporal.api.enums.v1.ContinueAsNewInitiator. */
  initiator: number;
  attempt: number;
  /** Wait before the first workflow task; undefined: none was asked for. */
  backoffMs: number | undefined;
  /** What the run starts with; what the chain shares is added here. */
  attributes: StartedAttributes;
  /** Whether completion callbacks move on to it. Those that do not are told of the run that ends now. */
  callbacks: boolean;
}

/** Begins the next run. The turn of the present one closes it, before or after. */
export function beginNextRun(turn: Turn, next: NextRun): Turn {
  const { state } = turn;
  const { info } = state;
  const backoffMs = withinInterval(turn, next.backoffMs);
  const newTurn = beginRun(
    {
      namespaceId: info.namespaceId,
      namespace: info.namespace,
      workflowId: info.workflowId,
      runId: next.runId,
      requestId: turn.context.newId(),
      links: info.links.map((bytes) => api.common.v1.Link.decode(bytes)),
      attributes: {
        ...next.attributes,
        ...relatives(state),
        workflowId: info.workflowId,
        workflowExecutionTimeout: info.executionTimeoutMs ? toDuration(info.executionTimeoutMs) : undefined,
        workflowExecutionExpirationTime: info.executionExpirationMs ? toTimestamp(info.executionExpirationMs) : undefined,
        continuedExecutionRunId: info.runId,
        initiator: next.initiator,
        firstExecutionRunId: info.firstRunId,
        originalExecutionRunId: next.runId,
        attempt: next.attempt,
        firstWorkflowTaskBackoff: backoffMs === undefined ? undefined : toDuration(backoffMs),
        prevAutoResetPoints: { points: keptResetPoints(turn) },
        completionCallbacks: next.callbacks ? state.callbacks.filter((c) => !c.calls).map(callbackOf) : [],
      },
    },
    turn.context,
  );
  scheduleFirstTask(newTurn);
  turn.effect({ type: 'new-run', turn: newTurn });
  return newTurn;
}

/** A run that goes on within a second waits out that second, so that a loop of them stays affordable. */
function withinInterval(turn: Turn, askedMs: number | undefined): number | undefined {
  const aliveMs = turn.nowMs - turn.state.info.executionMs;
  const intervalMs = turn.limits.continueAsNewMinIntervalMs;
  return aliveMs + (askedMs ?? 0) < intervalMs ? intervalMs - aliveMs : askedMs;
}

/** Parent and root of a child are those of all its runs. */
function relatives({ info }: RunState): StartedAttributes {
  const { parent } = info;
  if (!parent) return {};
  return {
    parentWorkflowNamespace: parent.namespace,
    parentWorkflowNamespaceId: parent.namespaceId,
    parentWorkflowExecution: { workflowId: parent.workflowId, runId: parent.runId },
    parentInitiatedEventId: int64(parent.initiatedEventId),
    rootWorkflowExecution: { workflowId: info.rootWorkflowId, runId: info.rootRunId },
  };
}

/** Reset points stay good in later runs for as long as their run is kept. */
function keptResetPoints(turn: Turn): temporal.api.workflow.v1.IResetPointInfo[] {
  const { info, resetPoints } = turn.state;
  const retentionMs = turn.context.retentionMs(info.namespaceId);
  const expireMs = retentionMs > 0 ? turn.nowMs + retentionMs : 0;
  return resetPoints
    .filter((point) => !point.expireMs || point.expireMs > turn.nowMs)
    .map((point) => resetPointToApi(point.runId === info.runId ? { ...point, expireMs } : point));
}

export const resetPointToApi = (point: ResetPoint): temporal.api.workflow.v1.IResetPointInfo => ({
  buildId: point.buildId,
  binaryChecksum: point.binaryChecksum,
  runId: point.runId,
  firstWorkflowTaskCompletedId: int64(point.firstWorkflowTaskCompletedId),
  createTime: toTimestamp(point.createMs),
  expireTime: point.expireMs ? toTimestamp(point.expireMs) : undefined,
  resettable: point.resettable,
});

/** What a run started with, for one that begins again with the same. */
export function startedAs(started: HistoryEvent): StartedAttributes {
  const attributes = started.workflowExecutionStartedEventAttributes!;
  return {
    workflowType: attributes.workflowType,
    taskQueue: attributes.taskQueue,
    input: attributes.input,
    header: attributes.header,
    workflowRunTimeout: attributes.workflowRunTimeout,
    workflowTaskTimeout: attributes.workflowTaskTimeout,
    retryPolicy: attributes.retryPolicy,
    cronSchedule: attributes.cronSchedule,
    memo: attributes.memo,
    searchAttributes: attributes.searchAttributes,
    priority: attributes.priority,
  };
}

/** Milliseconds of a duration that may be left out, which is not the same as none. */
export const optionalMs = (
  duration: temporal.api.command.v1.IContinueAsNewWorkflowExecutionCommandAttributes['backoffStartInterval'],
): number | undefined => (duration ? fromDuration(duration) : undefined);
