/** The commands about timers, checked against what the run has. */
import { type Command, enums, toNumber } from '../api.js';
import type { CommandContext } from '../command-context.js';
import { TaskFault } from '../task-fault.js';
import { cancelTimer, startTimer } from './timer.js';

const CAUSE = enums.WorkflowTaskFailedCause;

export function startTimerCommand({ turn, completedEventId }: CommandContext, command: Command): void {
  const attributes = command.startTimerCommandAttributes!;
  if (turn.state.timers[attributes.timerId ?? '']) {
    throw new TaskFault(CAUSE.WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID, `a timer with TimerID ${attributes.timerId} is running`);
  }
  startTimer(turn, attributes, completedEventId);
}

/** A timer that fired while the task ran counts as cancelled: the worker never hears that it fired. */
export function cancelTimerCommand(
  { turn, completedEventId, identity }: CommandContext,
  { cancelTimerCommandAttributes: attributes }: Command,
): void {
  const timerId = attributes!.timerId ?? '';
  const running = turn.state.timers[timerId];
  const fired = running ? undefined : turn.takeBuffered((event) => event.timerFiredEventAttributes?.timerId === timerId);
  const startedEventId = running?.startedEventId ?? toNumber(fired?.timerFiredEventAttributes?.startedEventId);
  if (!startedEventId) {
    throw new TaskFault(CAUSE.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES, `no timer with TimerID ${timerId} is running`);
  }
  cancelTimer(turn, { timerId, startedEventId }, completedEventId, identity);
}
