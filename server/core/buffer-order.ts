/** The order in which buffered events enter the history: what closes an activity or a child comes after everything else. */
import { enums, type HistoryEvent } from './api.js';

const T = enums.EventType;
const CLOSING = new Set<number>([
  T.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
  T.EVENT_TYPE_ACTIVITY_TASK_FAILED,
  T.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
  T.EVENT_TYPE_ACTIVITY_TASK_CANCELED,
  T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED,
  T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED,
  T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED,
  T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT,
  T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED,
]);

export function reorderBuffered(events: HistoryEvent[]): HistoryEvent[] {
  const closing = events.filter((e) => CLOSING.has(e.eventType!));
  return closing.length === 0 ? events : [...events.filter((e) => !CLOSING.has(e.eventType!)), ...closing];
}
