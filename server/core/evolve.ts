/** Folding a history: the state that its events yield. The live state, seen through `durableView`, is the same. */
import { api, type HistoryEvent, toNumber } from './api.js';
import { blankState, type RunIdentity } from './blank-state.js';
import { durableCallbacks } from './kinds/callback.js';
import { passingBytesOf } from './encode.js';
import { applyEvent } from './registry.js';
import type { RunState } from './run-state.js';
import { durableAttributes } from './system-attributes.js';

export function foldHistory(identity: RunIdentity, events: readonly HistoryEvent[]): RunState {
  const state = blankState(identity);
  foldInto(state, events);
  return state;
}

/** Lets further events, which have their ids, change a state. */
export function foldInto(state: RunState, events: readonly HistoryEvent[]): void {
  for (const event of events) {
    state.nextEventId = toNumber(event.eventId) + 1;
    state.historyBytes += passingBytesOf(api.history.v1.HistoryEvent, event).length + 3;
    applyEvent(state, event);
  }
}

/** The part of the state that the history alone determines: no attempts, heartbeats, changed options, buffers, stickiness or counters of the shell. */
export function durableView(state: RunState): object {
  // of a closed run they are only shown; what became of them in its last task leaves no event
  const activities = Object.values(state.closeMs > 0 ? {} : state.activities).map((a) => ({
    id: a.scheduledEventId,
    activityId: a.activityId,
    type: a.type,
    scheduledMs: a.scheduledMs,
    cancelRequested: a.cancelRequestedEventId,
  }));
  return {
    info: { ...state.info, createRequestId: '', resetRequestId: '' },
    status: state.status,
    pause: state.pause,
    closeMs: state.closeMs,
    closeEventId: state.closeEventId,
    nextEventId: state.nextEventId,
    previousStartedEventId: state.previousStartedEventId,
    activities,
    timers: state.timers,
    children: state.children,
    externalSignals: state.externalSignals,
    externalCancels: state.externalCancels,
    updatesAccepted: state.updatesAccepted,
    updatesCompleted: state.updatesCompleted,
    approvals: state.approvals
      .filter((a) => !a.outcome)
      .map(({ approvalId, requestedMs, untilMs }) => ({ approvalId, requestedMs, untilMs })),
    approvalsOver: [...state.approvalsOver].sort(),
    earlyDecisions: state.earlyDecisions,
    cancelRequested: state.cancelRequested,
    signalCount: state.signalCount,
    resetPoints: state.resetPoints,
    buildIds: state.buildIds,
    callbacks: durableCallbacks(state),
    versioningOverride: state.versioningOverride,
    newRunId: state.newRunId,
    memo: state.memo,
    searchAttributes: durableAttributes(state),
  };
}
