/** Every kind of event with what it does to the state: a complete map, so that tsc names the one that is missing. */
import { enums, type HistoryEvent } from './api.js';
import { activityEvents } from './kinds/activity.js';
import { cancelEvents } from './kinds/cancel.js';
import { childRunEvents } from './kinds/child-run.js';
import { externalEvents } from './kinds/external.js';
import { optionsEvents } from './kinds/options.js';
import { markerEvents } from './kinds/marker.js';
import { pauseEvents } from './kinds/pause-state.js';
import { propertyEvents } from './kinds/properties.js';
import { runEvents } from './kinds/run.js';
import { signalEvents } from './kinds/signal.js';
import { timerEvents } from './kinds/timer.js';
import { updateEvents } from './kinds/update.js';
import { workflowTaskEvents } from './kinds/workflow-task.js';
import type { RunState } from './run-state.js';

type Apply = (state: RunState, event: HistoryEvent) => void;

const applies: Record<number, Apply> = {
  ...runEvents,
  ...workflowTaskEvents,
  ...activityEvents,
  ...timerEvents,
  ...signalEvents,
  ...cancelEvents,
  ...childRunEvents,
  ...externalEvents,
  ...propertyEvents,
  ...markerEvents,
  ...updateEvents,
  ...optionsEvents,
  ...pauseEvents,
};

/** Event types that change nothing in the state. */
const T = enums.EventType;
const INERT = new Set<number>([T.EVENT_TYPE_ACTIVITY_TASK_STARTED]);

/** Lets an event change the state. An event type that this server does not know is a defect, never skipped. */
export function applyEvent(state: RunState, event: HistoryEvent): void {
  const type = event.eventType ?? 0;
  const apply = applies[type];
  if (apply) apply(state, event);
  else if (!INERT.has(type)) throw new Error(`no rule for event type ${T[type] ?? type}`);
}
