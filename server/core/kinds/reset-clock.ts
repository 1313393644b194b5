/** The time of a run that was reset: what it took over from another run's history happened then, but its clocks start now. */
import { fromTimestamp, type HistoryEvent } from '../api.js';
import type { RunState } from '../run-state.js';
import { endPause } from './pause-state.js';

/**
 * What the RESET_WORKFLOW failure of a task means for the state: the run begins at that moment. Its timeouts count from there, and so do the
 * activities that it waits for.
 */
export function applyReset(state: RunState, event: HistoryEvent): void {
  const { info } = state;
  endPause(state); // a pause is of one run
  const atMs = fromTimestamp(event.eventTime);
  const backoffMs = info.executionMs - info.startMs;
  info.startMs = atMs;
  info.executionMs = atMs + backoffMs;
  info.lastResetMs = atMs;
  info.baseRunIds.push(event.workflowTaskFailedEventAttributes!.baseRunId ?? '');
  if (info.executionTimeoutMs) info.executionExpirationMs = atMs + info.executionTimeoutMs;
  if (info.runTimeoutMs) {
    info.runExpirationMs = atMs + info.runTimeoutMs;
    if (info.executionTimeoutMs) info.runExpirationMs = Math.min(info.runExpirationMs, info.executionExpirationMs);
  }
  for (const activity of Object.values(state.activities)) {
    activity.scheduledMs = atMs;
    activity.attemptScheduledMs = atMs;
  }
}
