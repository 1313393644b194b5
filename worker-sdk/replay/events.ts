/** What replay must know about the types of history events. Pure tables over the open API's event types. */
import proto, { type temporal } from '@temporalio/proto';
import type { HistoryEvent } from '../definitions/api.js';
import { toNumber } from '../definitions/api.js';

export const EventType = proto.temporal.api.enums.v1.EventType;
export type EventType = temporal.api.enums.v1.EventType;

/** Events that a workflow task's commands became. They follow WorkflowTaskCompleted in the order of the commands. */
const COMMAND_EVENTS: ReadonlySet<number> = new Set([
  EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
  EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
  EventType.EVENT_TYPE_MARKER_RECORDED,
  EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
  EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
  EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
  EventType.EVENT_TYPE_TIMER_CANCELED,
  EventType.EVENT_TYPE_TIMER_STARTED,
  EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
  EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
  EventType.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED,
  EventType.EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_REJECTED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
]);

/** Events after which a run is closed. */
const FINAL_EVENTS: ReadonlySet<number> = new Set([
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
]);

/** Events that end a started workflow task without a completion. */
const ABORTS_TASK: ReadonlySet<number> = new Set([
  EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
]);

export function isCommandEvent(event: HistoryEvent): boolean {
  return COMMAND_EVENTS.has(event.eventType ?? 0);
}

export function isFinalEvent(event: HistoryEvent): boolean {
  return FINAL_EVENTS.has(event.eventType ?? 0);
}

export function abortsWorkflowTask(event: HistoryEvent): boolean {
  return ABORTS_TASK.has(event.eventType ?? 0);
}

export function idOf(event: HistoryEvent): number {
  return toNumber(event.eventId);
}

/** `TimerStarted` for EVENT_TYPE_TIMER_STARTED. */
export function eventName(type: number | null | undefined): string {
  const name = EventType[type ?? 0] ?? `event type ${type}`;
  return name
    .replace(/^EVENT_TYPE_/, '')
    .toLowerCase()
    .replace(/(^|_)([a-z])/g, (_all, _gap, letter: string) => letter.toUpperCase());
}

/** Which attribute names the event that began the thing which this event is about: by event type. */
const INITIATED_BY = new Map<number, (event: HistoryEvent) => unknown>([
  [EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED, (e) => e.activityTaskStartedEventAttributes?.scheduledEventId],
  [EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, (e) => e.activityTaskCompletedEventAttributes?.scheduledEventId],
  [EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED, (e) => e.activityTaskFailedEventAttributes?.scheduledEventId],
  [EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT, (e) => e.activityTaskTimedOutEventAttributes?.scheduledEventId],
  [EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED, (e) => e.activityTaskCanceledEventAttributes?.scheduledEventId],
  [EventType.EVENT_TYPE_TIMER_FIRED, (e) => e.timerFiredEventAttributes?.startedEventId],
  [EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED, (e) => e.startChildWorkflowExecutionFailedEventAttributes?.initiatedEventId],
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, (e) => e.childWorkflowExecutionStartedEventAttributes?.initiatedEventId],
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED, (e) => e.childWorkflowExecutionCompletedEventAttributes?.initiatedEventId],
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED, (e) => e.childWorkflowExecutionFailedEventAttributes?.initiatedEventId],
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED, (e) => e.childWorkflowExecutionCanceledEventAttributes?.initiatedEventId],
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT, (e) => e.childWorkflowExecutionTimedOutEventAttributes?.initiatedEventId],
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED, (e) => e.childWorkflowExecutionTerminatedEventAttributes?.initiatedEventId],
  [
    EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED,
    (e) => e.requestCancelExternalWorkflowExecutionFailedEventAttributes?.initiatedEventId,
  ],
  [
    EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
    (e) => e.externalWorkflowExecutionCancelRequestedEventAttributes?.initiatedEventId,
  ],
  [
    EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED,
    (e) => e.signalExternalWorkflowExecutionFailedEventAttributes?.initiatedEventId,
  ],
  [EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED, (e) => e.externalWorkflowExecutionSignaledEventAttributes?.initiatedEventId],
  [EventType.EVENT_TYPE_NEXUS_OPERATION_STARTED, (e) => e.nexusOperationStartedEventAttributes?.scheduledEventId],
  [EventType.EVENT_TYPE_NEXUS_OPERATION_COMPLETED, (e) => e.nexusOperationCompletedEventAttributes?.scheduledEventId],
  [EventType.EVENT_TYPE_NEXUS_OPERATION_FAILED, (e) => e.nexusOperationFailedEventAttributes?.scheduledEventId],
  [EventType.EVENT_TYPE_NEXUS_OPERATION_CANCELED, (e) => e.nexusOperationCanceledEventAttributes?.scheduledEventId],
  [EventType.EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT, (e) => e.nexusOperationTimedOutEventAttributes?.scheduledEventId],
  [
    EventType.EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED,
    (e) => e.nexusOperationCancelRequestCompletedEventAttributes?.scheduledEventId,
  ],
  [EventType.EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_FAILED, (e) => e.nexusOperationCancelRequestFailedEventAttributes?.scheduledEventId],
]);

/** Id of the command event that this event answers; `undefined` when it answers none. */
export function initiatingEventId(event: HistoryEvent): number | undefined {
  const id = INITIATED_BY.get(event.eventType ?? 0)?.(event);
  return id === undefined || id === null ? undefined : toNumber(id as number);
}
