/**
 * The child: a run that another run starts and hears the end of. Initiated by a command; started (or refused) by a message that the parent
 * sends itself, in one commit with the child's first event; closed by a message of the child.
 */
import { api, enums, fromDuration, type HistoryEvent, int64, type temporal, toDuration, toNumber, toTimestamp } from '../api.js';
import { type RunTimeouts, completeRunTimeouts } from '../defaults/run-timeouts.js';
import { childPriority } from '../priority.js';
import { completeRetryPolicy, retryPolicyToApi } from '../retry-policy.js';
import type { Child, RunState } from '../run-state.js';
import type { Turn } from '../turn.js';
import type { NewRun } from './run.js';
import { wake } from './workflow-task.js';

type CommandAttributes = temporal.api.command.v1.IStartChildWorkflowExecutionCommandAttributes;
export type InitiatedAttributes = temporal.api.history.v1.IStartChildWorkflowExecutionInitiatedEventAttributes;
const T = enums.EventType;
const KIND_NORMAL = enums.TaskQueueKind.TASK_QUEUE_KIND_NORMAL;
const EventCodec = api.history.v1.HistoryEvent;

export interface InitiatedBy {
  completedEventId: number;
  namespaceId: string;
}

/** A checked StartChildWorkflowExecution command. */
export function initiateChild(turn: Turn, command: CommandAttributes, by: InitiatedBy): void {
  const { info } = turn.state;
  const timeouts: RunTimeouts = completeRunTimeouts(command, turn.limits);
  const event = turn.append({
    eventType: T.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
    startChildWorkflowExecutionInitiatedEventAttributes: {
      namespace: command.namespace || info.namespace,
      namespaceId: by.namespaceId,
      workflowId: command.workflowId,
      workflowType: command.workflowType,
      taskQueue: { name: command.taskQueue?.name || info.taskQueue, kind: KIND_NORMAL },
      input: command.input,
      workflowExecutionTimeout: timeouts.executionMs ? toDuration(timeouts.executionMs) : command.workflowExecutionTimeout,
      workflowRunTimeout: toDuration(timeouts.runMs),
      workflowTaskTimeout: toDuration(timeouts.taskMs),
      parentClosePolicy: command.parentClosePolicy || enums.ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE,
      control: command.control,
      workflowTaskCompletedEventId: int64(by.completedEventId),
      workflowIdReusePolicy: command.workflowIdReusePolicy || enums.WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
      retryPolicy: command.retryPolicy ? retryPolicyToApi(completeRetryPolicy(command.retryPolicy)) : undefined,
      cronSchedule: command.cronSchedule,
      header: command.header,
      memo: Object.keys(command.memo?.fields ?? {}).length > 0 ? command.memo : undefined,
      searchAttributes: command.searchAttributes,
      inheritBuildId: command.inheritBuildId,
      priority: command.priority,
    },
  });
  askForStart(turn, toNumber(event.eventId));
}

/** Puts the message on its way that starts a child. */
export function askForStart(turn: Turn, initiatedEventId: number): void {
  const { namespaceId, workflowId, runId } = turn.state.info;
  turn.effect({ type: 'message', message: { kind: 'start-child', to: { namespaceId, workflowId, runId }, initiatedEventId } });
}

/** The child whose start is still to be done; undefined when its parent or it has moved on. */
export function unstartedChild(state: RunState, initiatedEventId: number): Child | undefined {
  const child = state.children[initiatedEventId];
  return child && !child.runId ? child : undefined;
}

/** The child's run as it begins. */
export function childRun(
  parent: RunState,
  initiated: HistoryEvent,
  runId: string,
  { nowMs, backoffMs }: { nowMs: number; backoffMs: number },
): NewRun {
  const { info } = parent;
  const attributes = initiated.startChildWorkflowExecutionInitiatedEventAttributes!;
  const initiatedEventId = toNumber(initiated.eventId);
  const executionTimeoutMs = fromDuration(attributes.workflowExecutionTimeout);
  return {
    namespaceId: attributes.namespaceId!,
    namespace: attributes.namespace!,
    workflowId: attributes.workflowId!,
    runId,
    requestId: `${info.runId}:${initiatedEventId}:0`,
    userMetadata: initiated.userMetadata,
    attributes: {
      workflowType: attributes.workflowType,
      parentWorkflowNamespace: info.namespace,
      parentWorkflowNamespaceId: info.namespaceId,
      parentWorkflowExecution: { workflowId: info.workflowId, runId: info.runId },
      parentInitiatedEventId: int64(initiatedEventId),
      taskQueue: attributes.taskQueue,
      input: attributes.input,
      workflowExecutionTimeout: attributes.workflowExecutionTimeout,
      workflowRunTimeout: attributes.workflowRunTimeout,
      workflowTaskTimeout: attributes.workflowTaskTimeout,
      workflowExecutionExpirationTime: executionTimeoutMs ? toTimestamp(nowMs + executionTimeoutMs) : undefined,
      originalExecutionRunId: runId,
      firstExecutionRunId: runId,
      retryPolicy: attributes.retryPolicy,
      attempt: 1,
      cronSchedule: attributes.cronSchedule,
      initiator: attributes.cronSchedule ? enums.ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE : undefined,
      firstWorkflowTaskBackoff: toDuration(backoffMs),
      memo: attributes.memo,
      searchAttributes: attributes.searchAttributes,
      header: attributes.header,
      workflowId: attributes.workflowId,
      rootWorkflowExecution: { workflowId: info.rootWorkflowId, runId: info.rootRunId },
      priority: childPriority(info.priority, attributes.priority),
    },
  };
}

export function recordChildStarted(turn: Turn, child: Child, runId: string, header: InitiatedAttributes['header']): void {
  turn.emit({
    eventType: T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED,
    childWorkflowExecutionStartedEventAttributes: {
      namespace: child.namespace,
      namespaceId: child.namespaceId,
      initiatedEventId: int64(child.initiatedEventId),
      workflowExecution: { workflowId: child.workflowId, runId },
      workflowType: { name: child.workflowType },
      header,
    },
  });
  wake(turn);
}

export function recordChildRefused(turn: Turn, child: Child, cause: number, control: string | null | undefined): void {
  turn.emit({
    eventType: T.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED,
    startChildWorkflowExecutionFailedEventAttributes: {
      namespace: child.namespace,
      namespaceId: child.namespaceId,
      workflowId: child.workflowId,
      workflowType: { name: child.workflowType },
      cause,
      control,
      initiatedEventId: int64(child.initiatedEventId),
    },
  });
  wake(turn);
}

/** The child's chain has ended: its close event becomes one of the parent's. */
export function recordChildClosed(turn: Turn, child: Child, runId: string, closeEvent: Uint8Array): void {
  const close = EventCodec.decode(closeEvent) as HistoryEvent;
  const who = {
    namespace: child.namespace,
    namespaceId: child.namespaceId,
    workflowExecution: { workflowId: child.workflowId, runId },
    workflowType: { name: child.workflowType },
    initiatedEventId: int64(child.initiatedEventId),
    startedEventId: int64(child.startedEventId),
  };
  turn.emit(closedEvent(close, who));
  wake(turn);
}

function closedEvent(close: HistoryEvent, who: object): HistoryEvent {
  switch (close.eventType) {
    case T.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: {
      const { result } = close.workflowExecutionCompletedEventAttributes!;
      return {
        eventType: T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED,
        childWorkflowExecutionCompletedEventAttributes: { ...who, result },
      };
    }
    case T.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: {
      const { failure, retryState } = close.workflowExecutionFailedEventAttributes!;
      return {
        eventType: T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED,
        childWorkflowExecutionFailedEventAttributes: { ...who, failure, retryState },
      };
    }
    case T.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: {
      const { details } = close.workflowExecutionCanceledEventAttributes!;
      return {
        eventType: T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED,
        childWorkflowExecutionCanceledEventAttributes: { ...who, details },
      };
    }
    case T.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: {
      const { retryState } = close.workflowExecutionTimedOutEventAttributes!;
      return {
        eventType: T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT,
        childWorkflowExecutionTimedOutEventAttributes: { ...who, retryState },
      };
    }
    case T.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
      return { eventType: T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED, childWorkflowExecutionTerminatedEventAttributes: who };
    default:
      throw new Error(`event type ${close.eventType} does not close a child`);
  }
}

const forget =
  (idOf: (event: HistoryEvent) => temporal.api.history.v1.IChildWorkflowExecutionCompletedEventAttributes['initiatedEventId']) =>
  (state: RunState, event: HistoryEvent): void => {
    delete state.children[toNumber(idOf(event))];
  };

export const childRunEvents = {
  [T.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED](state: RunState, event: HistoryEvent): void {
    const attributes = event.startChildWorkflowExecutionInitiatedEventAttributes!;
    const initiatedEventId = toNumber(event.eventId);
    state.children[initiatedEventId] = {
      initiatedEventId,
      startedEventId: 0,
      namespace: attributes.namespace ?? '',
      namespaceId: attributes.namespaceId ?? '',
      workflowId: attributes.workflowId ?? '',
      runId: '',
      workflowType: attributes.workflowType?.name ?? '',
      parentClosePolicy: attributes.parentClosePolicy ?? 0,
    };
  },
  [T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED](state: RunState, event: HistoryEvent): void {
    const attributes = event.childWorkflowExecutionStartedEventAttributes!;
    const child = state.children[toNumber(attributes.initiatedEventId)];
    if (!child) return;
    child.startedEventId = toNumber(event.eventId);
    child.runId = attributes.workflowExecution?.runId ?? '';
  },
  [T.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED]: forget((e) => e.startChildWorkflowExecutionFailedEventAttributes!.initiatedEventId),
  [T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED]: forget((e) => e.childWorkflowExecutionCompletedEventAttributes!.initiatedEventId),
  [T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED]: forget((e) => e.childWorkflowExecutionFailedEventAttributes!.initiatedEventId),
  [T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED]: forget((e) => e.childWorkflowExecutionCanceledEventAttributes!.initiatedEventId),
  [T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT]: forget((e) => e.childWorkflowExecutionTimedOutEventAttributes!.initiatedEventId),
  [T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED]: forget((e) => e.childWorkflowExecutionTerminatedEventAttributes!.initiatedEventId),
};
