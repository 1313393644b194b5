/** A run that ends by going on as a new one: continue-as-new by command. The new run begins in the same commit. */
import { api, enums, type Failure, fromDuration, int64, type Payloads, type temporal, toDuration, toTimestamp } from '../api.js';
import { retryPolicyToApi } from '../retry-policy.js';
import type { RunState } from '../run-state.js';
import type { Turn } from '../turn.js';
import { beginRun, type NewRun, scheduleFirstTask } from './run.js';

type Attributes = temporal.api.command.v1.IContinueAsNewWorkflowExecutionCommandAttributes;
type StartedAttributes = temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes;
const T = enums.EventType;
const INITIATOR = enums.ContinueAsNewInitiator;

/** A checked ContinueAsNewWorkflowExecution command. Returns the turn in which the new run begins. */
export function continueAsNew(turn: Turn, attributes: Attributes, completedEventId: number): Turn {
  const { state } = turn;
  const { info } = state;
  const newRunId = turn.context.newRunId(info.runId);
  const backoffMs = Math.max(fromDuration(attributes.backoffStartInterval), intervalLeftMs(turn));
  const taskQueue = { name: attributes.taskQueue?.name || info.taskQueue, kind: enums.TaskQueueKind.TASK_QUEUE_KIND_NORMAL };
  const workflowType = attributes.workflowType?.name ? attributes.workflowType : { name: info.workflowType };
  const runTimeout = fromDuration(attributes.workflowRunTimeout) || info.runTimeoutMs;
  const taskTimeout = fromDuration(attributes.workflowTaskTimeout) || info.workflowTaskTimeoutMs;
  const memo = attributes.memo ?? (state.memo ? api.common.v1.Memo.decode(state.memo) : undefined);
  const searchAttributes =
    attributes.searchAttributes ?? (state.searchAttributes ? api.common.v1.SearchAttributes.decode(state.searchAttributes) : undefined);
  const initiator = attributes.initiator || INITIATOR.CONTINUE_AS_NEW_INITIATOR_WORKFLOW;
  turn.append({
    eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    workflowExecutionContinuedAsNewEventAttributes: {
      newExecutionRunId: newRunId,
      workflowType,
      taskQueue,
      input: attributes.input,
      workflowRunTimeout: toDuration(runTimeout),
      workflowTaskTimeout: toDuration(taskTimeout),
      workflowTaskCompletedEventId: int64(completedEventId),
      backoffStartInterval: toDuration(backoffMs),
      initiator,
      failure: attributes.failure,
      lastCompletionResult: attributes.lastCompletionResult,
      header: attributes.header,
      memo,
      searchAttributes,
    },
  });
  return continueRun(turn, {
    newRunId,
    backoffMs,
    initiator,
    attempt: 1,
    attributes: {
      workflowType,
      taskQueue,
      input: attributes.input,
      workflowRunTimeout: toDuration(runTimeout),
      workflowTaskTimeout: toDuration(taskTimeout),
      header: attributes.header,
      memo,
      searchAttributes,
      retryPolicy: attributes.retryPolicy ?? (info.retry ? retryPolicyToApi(info.retry) : undefined),
      cronSchedule: attributes.cronSchedule || info.cron,
      lastCompletionResult: attributes.lastCompletionResult,
      continuedFailure: attributes.failure,
    },
  });
}

/** A run that continues within a second of its start waits out that second, so that a loop of them stays affordable. */
function intervalLeftMs(turn: Turn): number {
  const aliveMs = turn.nowMs - turn.state.info.startMs;
  return Math.max(0, turn.limits.continueAsNewMinIntervalMs - aliveMs);
}

export interface Continuation {
  newRunId: string;
  backoffMs: number;
  initiator: number;
  attempt: number;
  /** What the next run starts with; the chain's own fields are added here. */
  attributes: StartedAttributes;
  failure?: Failure | null;
  lastCompletionResult?: Payloads | null;
}

/** Begins the next run of the chain in the same commit that closes this one. */
export function continueRun(turn: Turn, next: Continuation): Turn {
  const { info } = turn.state;
  const run: NewRun = {
    namespaceId: info.namespaceId,
    namespace: info.namespace,
    workflowId: info.workflowId,
    runId: next.newRunId,
    requestId: turn.context.newId(),
    userMetadata: info.userMetadata ? api.sdk.v1.UserMetadata.decode(info.userMetadata) : undefined,
    attributes: {
      ...next.attributes,
      ...parentOf(turn.state),
      workflowId: info.workflowId,
      workflowExecutionTimeout: info.executionTimeoutMs ? toDuration(info.executionTimeoutMs) : toDuration(0),
      workflowExecutionExpirationTime: info.executionExpirationMs ? toTimestamp(info.executionExpirationMs) : undefined,
      continuedExecutionRunId: info.runId,
      initiator: next.initiator,
      firstExecutionRunId: info.firstRunId,
      originalExecutionRunId: next.newRunId,
      identity: info.startIdentity,
      attempt: next.attempt,
      firstWorkflowTaskBackoff: toDuration(next.backoffMs),
      priority: info.priority ? api.common.v1.Priority.decode(info.priority) : undefined,
    },
  };
  const newTurn = beginRun(run, turn.context);
  scheduleFirstTask(newTurn);
  turn.state.newRunId = next.newRunId;
  turn.effect({ type: 'new-run', turn: newTurn });
  return newTurn;
}

function parentOf(state: RunState): StartedAttributes {
  const { parent } = state.info;
  const root = state.info.rootRunId !== state.info.runId ? { workflowId: state.info.rootWorkflowId, runId: state.info.rootRunId } : undefined;
  if (!parent) return root ? { rootWorkflowExecution: root } : {};
  return {
    parentWorkflowNamespace: parent.namespace,
    parentWorkflowNamespaceId: parent.namespaceId,
    parentWorkflowExecution: { workflowId: parent.workflowId, runId: parent.runId },
    parentInitiatedEventId: int64(parent.initiatedEventId),
    rootWorkflowExecution: root,
  };
}

