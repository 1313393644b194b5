/** How large one run may grow: its history, its state, and what waits in its buffer. */
import { enums } from './api.js';
import { isRunning } from './kinds/run.js';
import { isStarted, scheduleWorkflowTask } from './kinds/workflow-task.js';
import { failWorkflowTask } from './kinds/workflow-task-end.js';
import type { RunState } from './run-state.js';
import type { Turn } from './turn.js';

/** Bytes that one thing of a kind takes in the state besides its own payloads, roughly. */
const ACTIVITY_BYTES = 600;
const CHILD_BYTES = 300;
const SMALL_BYTES = 150;

const size = (bytes: Uint8Array | null): number => bytes?.length ?? 0;
const count = (record: object): number => Object.keys(record).length;

/** About how many bytes the state is stored in; updates that wait to be accepted have a limit of their own. */
export function stateBytes(state: RunState): number {
  let bytes = state.bufferedBytes + size(state.memo) + size(state.searchAttributes);
  for (const id in state.activities) {
    const { heartbeatDetails, lastFailure, priority } = state.activities[id]!;
    bytes += ACTIVITY_BYTES + size(heartbeatDetails) + size(lastFailure) + size(priority);
  }
  for (const { callback, calls } of state.callbacks) bytes += callback.length + size(calls?.lastFailure ?? null);
  const small =
    count(state.timers) +
    count(state.externalSignals) +
    count(state.externalCancels) +
    state.updatesAccepted.length +
    state.updatesCompleted.length;
  return bytes + count(state.children) * CHILD_BYTES + small * SMALL_BYTES;
}

/** Why the run may not go on after this turn; undefined when it may. A run that closes in this turn always may. */
export function overLimit(turn: Turn): string | undefined {
  const { state, limits } = turn;
  if (turn.isNew || !turn.changed || !isRunning(state)) return undefined;
  if (turn.historyBytesBefore > limits.historySizeMax) return 'Workflow history size exceeds limit.';
  if (state.nextEventId - 1 > limits.historyEventsMax) return 'Workflow history count exceeds limit.';
  return stateBytes(state) > limits.stateSizeMax ? 'Workflow mutable state size exceeds limit.' : undefined;
}

/** What to tell the log when this turn brought the run near a limit. */
export function nearLimit(turn: Turn): string | undefined {
  const { state, limits } = turn;
  const passes = (limit: number, before: number, after: number): boolean => before <= limit && after > limit;
  if (passes(limits.historyEventsWarn, turn.firstEventId - 1, state.nextEventId - 1)) {
    return `a run has more than ${limits.historyEventsWarn} events; it is terminated at ${limits.historyEventsMax}: let it continue as new`;
  }
  if (passes(limits.historySizeWarn, turn.historyBytesBefore, state.historyBytes)) {
    return `a run's history has more than ${limits.historySizeWarn} bytes; it is terminated at ${limits.historySizeMax}: let it continue as new`;
  }
  return undefined;
}

/** Too much came in while a workflow task runs: the task fails, so that what waits can be written and seen by the next one. */
export function relieveBuffer(turn: Turn): void {
  const { state, limits } = turn;
  const full = state.buffered.length > limits.bufferedEventsMax || state.bufferedBytes > limits.bufferedBytesMax;
  if (!full || !isRunning(state) || !isStarted(state)) return;
  failWorkflowTask(turn, {
    cause: enums.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
    identity: 'history-service',
  });
  turn.flushBuffered();
  scheduleWorkflowTask(turn);
}
