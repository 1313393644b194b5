/** The timer: started by a command, fires on the run's deadline or is cancelled by a command. */
import { enums, fromDuration, fromTimestamp, type HistoryEvent, int64, type temporal, toNumber } from '../api.js';
import type { RunState, Timer } from '../run-state.js';
import type { Turn } from '../turn.js';
import { wake } from './workflow-task.js';

type StartAttributes = temporal.api.command.v1.IStartTimerCommandAttributes;
const T = enums.EventType;

/** A checked StartTimer command. */
export function startTimer(turn: Turn, attributes: StartAttributes, completedEventId: number): void {
  turn.append({
    eventType: T.EVENT_TYPE_TIMER_STARTED,
    timerStartedEventAttributes: {
      timerId: attributes.timerId,
      startToFireTimeout: attributes.startToFireTimeout,
      workflowTaskCompletedEventId: int64(completedEventId),
    },
  });
}

/** A checked CancelTimer command. */
export function cancelTimer(
  turn: Turn,
  timer: Pick<Timer, 'timerId' | 'startedEventId'>,
  completedEventId: number,
  identity: string,
): void {
  turn.append({
    eventType: T.EVENT_TYPE_TIMER_CANCELED,
    timerCanceledEventAttributes: {
      timerId: timer.timerId,
      startedEventId: int64(timer.startedEventId),
      workflowTaskCompletedEventId: int64(completedEventId),
      identity,
    },
  });
}

/** Fires every timer that is due, earliest first. */
export function fireTimers(turn: Turn): void {
  const due = Object.values(turn.state.timers).filter((t) => t.fireMs <= turn.nowMs);
  if (due.length === 0) return;
  due.sort((a, b) => a.fireMs - b.fireMs || a.startedEventId - b.startedEventId);
  for (const timer of due) {
    turn.emit({
      eventType: T.EVENT_TYPE_TIMER_FIRED,
      timerFiredEventAttributes: { timerId: timer.timerId, startedEventId: int64(timer.startedEventId) },
    });
  }
  wake(turn);
}

export const timerEvents = {
  [T.EVENT_TYPE_TIMER_STARTED](state: RunState, event: HistoryEvent): void {
    const attributes = event.timerStartedEventAttributes!;
    const timerId = attributes.timerId ?? '';
    const fireMs = fromTimestamp(event.eventTime) + fromDuration(attributes.startToFireTimeout);
    state.timers[timerId] = { timerId, startedEventId: toNumber(event.eventId), fireMs };
  },
  [T.EVENT_TYPE_TIMER_FIRED](state: RunState, event: HistoryEvent): void {
    delete state.timers[event.timerFiredEventAttributes!.timerId ?? ''];
  },
  [T.EVENT_TYPE_TIMER_CANCELED](state: RunState, event: HistoryEvent): void {
    delete state.timers[event.timerCanceledEventAttributes!.timerId ?? ''];
  },
};
