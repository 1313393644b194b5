/**
 * Recorded histories, of runs of every kind of event, folded. What is expected is counted from the events alone, after each of them: what an event opens
 * is pending until another names it as ended.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { historyFromJson } from '../../worker-sdk/replay/history-json.js';
import { enums, fromTimestamp, type HistoryEvent, toNumber } from '../../server/core/api.js';
import { foldHistory } from '../../server/core/evolve.js';
import { applyEvent } from '../../server/core/registry.js';
import type { RunState } from '../../server/core/run-state.js';
import { decodeState, encodeInfo, encodeSnapshot } from '../../server/storage/snapshot-codec.js';
import { storedRun } from '../helpers/stored-run.js';

const ROOT = new URL('../histories/', import.meta.url);
const identity = { namespaceId: 'ns', namespace: 'default', workflowId: 'w', runId: 'r', requestId: '' };
const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));

const read = (file: string): HistoryEvent[] => historyFromJson(readFileSync(new URL(file, ROOT), 'utf8')).events as unknown as HistoryEvent[];
const nameOf = (event: HistoryEvent): string => (enums.EventType[event.eventType!] ?? '').replace('EVENT_TYPE_', '');
/** The one attributes message that an event has. */
const attributesOf = (event: HistoryEvent): Record<string, unknown> =>
  Object.entries(event).find(([key, value]) => key.endsWith('EventAttributes') && value)?.[1] as Record<string, unknown>;

/** What begins something that goes on, the events that end it, and the field in which these name the beginning. */
const OPENINGS: Record<string, { by: string; ends: RegExp }> = {
  ACTIVITY_TASK_SCHEDULED: { by: 'scheduledEventId', ends: /^ACTIVITY_TASK_(COMPLETED|FAILED|TIMED_OUT|CANCELED)$/ },
  TIMER_STARTED: { by: 'startedEventId', ends: /^TIMER_(FIRED|CANCELED)$/ },
  START_CHILD_WORKFLOW_EXECUTION_INITIATED: {
    by: 'initiatedEventId',
    ends: /^(START_CHILD_WORKFLOW_EXECUTION_FAILED|CHILD_WORKFLOW_EXECUTION_(COMPLETED|FAILED|TIMED_OUT|CANCELED|TERMINATED))$/,
  },
  SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: {
    by: 'initiatedEventId',
    ends: /^(SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED|EXTERNAL_WORKFLOW_EXECUTION_SIGNALED)$/,
  },
  REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: {
    by: 'initiatedEventId',
    ends: /^(REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED|EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED)$/,
  },
  WORKFLOW_EXECUTION_UPDATE_ACCEPTED: { by: 'acceptedEventId', ends: /^WORKFLOW_EXECUTION_UPDATE_COMPLETED$/ },
  WORKFLOW_TASK_SCHEDULED: { by: 'scheduledEventId', ends: /^WORKFLOW_TASK_(COMPLETED|FAILED|TIMED_OUT)$/ },
};

function pendingAfter(events: readonly HistoryEvent[]): Record<string, number[]> {
  const pending: Record<string, number[]> = {};
  for (const [opening, { by, ends }] of Object.entries(OPENINGS)) {
    const ended = new Set(events.filter((e) => ends.test(nameOf(e))).map((e) => toNumber(attributesOf(e)[by] as never)));
    pending[opening] = events.filter((e) => nameOf(e) === opening && !ended.has(toNumber(e.eventId))).map((e) => toNumber(e.eventId));
  }
  return pending;
}

const ids = (record: object): number[] => Object.keys(record).map(Number).sort((a, b) => a - b);
const pendingIn = (state: RunState): Record<string, number[]> => ({
  ACTIVITY_TASK_SCHEDULED: ids(state.activities),
  TIMER_STARTED: Object.values(state.timers).map((t) => t.startedEventId),
  START_CHILD_WORKFLOW_EXECUTION_INITIATED: ids(state.children),
  SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: ids(state.externalSignals),
  REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: ids(state.externalCancels),
  WORKFLOW_EXECUTION_UPDATE_ACCEPTED: state.updatesAccepted.map((u) => u.acceptedEventId),
  WORKFLOW_TASK_SCHEDULED: state.workflowTask ? [state.workflowTask.scheduledEventId] : [],
});

const STATUS: Record<string, keyof typeof enums.WorkflowExecutionStatus> = {
  WORKFLOW_EXECUTION_COMPLETED: 'WORKFLOW_EXECUTION_STATUS_COMPLETED',
  WORKFLOW_EXECUTION_FAILED: 'WORKFLOW_EXECUTION_STATUS_FAILED',
  WORKFLOW_EXECUTION_TIMED_OUT: 'WORKFLOW_EXECUTION_STATUS_TIMED_OUT',
  WORKFLOW_EXECUTION_CANCELED: 'WORKFLOW_EXECUTION_STATUS_CANCELED',
  WORKFLOW_EXECUTION_TERMINATED: 'WORKFLOW_EXECUTION_STATUS_TERMINATED',
  WORKFLOW_EXECUTION_CONTINUED_AS_NEW: 'WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW',
};

describe.each(files)('%s', (file) => {
  const events = read(file);
  const count = (name: string): number => events.filter((e) => nameOf(e) === name).length;

  test('after each event, that is pending which no event has ended', () => {
    for (let n = 1; n <= events.length; n++) {
      const state = foldHistory(identity, events.slice(0, n));
      if (state.closeEventId) break;
      expect(pendingIn(state), `after event ${n}, ${nameOf(events[n - 1]!)}`).toEqual(pendingAfter(events.slice(0, n)));
    }
  });

  test('the end is told by the last event', () => {
    const state = foldHistory(identity, events);
    const last = events.at(-1)!;
    const status = STATUS[nameOf(last)];
    expect(state.nextEventId).toBe(events.length + 1);
    expect(state.status).toBe(enums.WorkflowExecutionStatus[status ?? 'WORKFLOW_EXECUTION_STATUS_RUNNING']);
    expect([state.closeEventId, state.closeMs]).toEqual(status ? [events.length, fromTimestamp(last.eventTime)] : [0, 0]);
  });

  test('signals, cancel requests and workflow tasks are counted', () => {
    const state = foldHistory(identity, events);
    const completed = events.findLast((e) => nameOf(e) === 'WORKFLOW_TASK_COMPLETED');
    expect(state.signalCount).toBe(count('WORKFLOW_EXECUTION_SIGNALED'));
    expect(state.cancelRequested).toBe(count('WORKFLOW_EXECUTION_CANCEL_REQUESTED') > 0);
    expect(state.lastCompletedEventId).toBe(toNumber(completed?.eventId));
    expect(state.previousStartedEventId).toBe(toNumber(completed?.workflowTaskCompletedEventAttributes?.startedEventId));
    expect(state.updatesCompleted.length).toBe(count('WORKFLOW_EXECUTION_UPDATE_COMPLETED'));
  });

  test('a run that is stored halfway and read again goes on to the same state', () => {
    const whole = foldHistory(identity, events);
    const resumed = foldHistory(identity, events.slice(0, Math.ceil(events.length / 2)));
    const state = decodeState(storedRun(resumed));
    for (const event of events.slice(state.nextEventId - 1)) {
      state.nextEventId += 1;
      applyEvent(state, event);
    }
    expect(encodeSnapshot({ ...state, historyBytes: 0 })).toEqual(encodeSnapshot({ ...whole, historyBytes: 0 }));
    expect(encodeInfo(state)).toEqual(encodeInfo(whole));
  });
});
