// The recorded histories once more, this time executed: each workflow task is handed out as the server handed it out, and the commands that come
// back must be those that the official worker's became.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { temporal } from '@temporalio/proto';
import Long from 'long';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HistoryEvent } from '../../../worker-sdk/definitions/api.js';
import { createWorkflowHost } from '../../../worker-sdk/replay/create-workflow-host.js';
import { historyFromJson } from '../../../worker-sdk/replay/history-json.js';
import { markerDetail } from '../../../worker-sdk/replay/kinds/marker.js';
import type { LocalActivityResult, LocalActivityTask, WorkflowHost, WorkflowTaskCompletion } from '../../../worker-sdk/replay/workflow-host.js';
import { silentLogger } from './silent-logger.js';

const folder = fileURLToPath(new URL('../../histories/sdk/', import.meta.url));
const { EventType, CommandType } = temporal.api.enums.v1;
type Command = temporal.api.command.v1.ICommand;

/** The event that a command becomes, and where both keep their attributes. */
const EVENTS: Record<string, [event: string, command: string]> = {
  ACTIVITY_TASK_SCHEDULED: ['activityTaskScheduledEventAttributes', 'scheduleActivityTaskCommandAttributes'],
  ACTIVITY_TASK_CANCEL_REQUESTED: ['activityTaskCancelRequestedEventAttributes', 'requestCancelActivityTaskCommandAttributes'],
  TIMER_STARTED: ['timerStartedEventAttributes', 'startTimerCommandAttributes'],
  TIMER_CANCELED: ['timerCanceledEventAttributes', 'cancelTimerCommandAttributes'],
  MARKER_RECORDED: ['markerRecordedEventAttributes', 'recordMarkerCommandAttributes'],
  START_CHILD_WORKFLOW_EXECUTION_INITIATED: ['startChildWorkflowExecutionInitiatedEventAttributes', 'startChildWorkflowExecutionCommandAttributes'],
  SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: [
    'signalExternalWorkflowExecutionInitiatedEventAttributes',
    'signalExternalWorkflowExecutionCommandAttributes',
  ],
  REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: [
    'requestCancelExternalWorkflowExecutionInitiatedEventAttributes',
    'requestCancelExternalWorkflowExecutionCommandAttributes',
  ],
  UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: ['upsertWorkflowSearchAttributesEventAttributes', 'upsertWorkflowSearchAttributesCommandAttributes'],
  WORKFLOW_PROPERTIES_MODIFIED: ['workflowPropertiesModifiedEventAttributes', 'modifyWorkflowPropertiesCommandAttributes'],
  WORKFLOW_EXECUTION_COMPLETED: ['workflowExecutionCompletedEventAttributes', 'completeWorkflowExecutionCommandAttributes'],
  WORKFLOW_EXECUTION_FAILED: ['workflowExecutionFailedEventAttributes', 'failWorkflowExecutionCommandAttributes'],
  WORKFLOW_EXECUTION_CANCELED: ['workflowExecutionCanceledEventAttributes', 'cancelWorkflowExecutionCommandAttributes'],
  WORKFLOW_EXECUTION_CONTINUED_AS_NEW: ['workflowExecutionContinuedAsNewEventAttributes', 'continueAsNewWorkflowExecutionCommandAttributes'],
  WORKFLOW_EXECUTION_UPDATE_ACCEPTED: ['workflowExecutionUpdateAcceptedEventAttributes', 'protocolMessageCommandAttributes'],
  WORKFLOW_EXECUTION_UPDATE_COMPLETED: ['workflowExecutionUpdateCompletedEventAttributes', 'protocolMessageCommandAttributes'],
};

/** Differ by nature: the queue of each recording, who made a failure and from which lines, wishes that are no part of the event, times of local activities. */
const NOT_COMPARED = new Set(['taskQueue', 'source', 'stackTrace', 'requestEagerExecution', 'messageId', 'complete_time', 'original_schedule_time', 'namespace', 'reason', 'kind', 'normalName']);

/** Bytes as text, Longs as numbers, empty values away: both sides in one form. */
function plain(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) {
    const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString();
    return text.startsWith('{"seq"') ? plain(JSON.parse(text)) : text;
  }
  if (Long.isLong(value)) return value.toNumber();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.keys(value)
    .filter((key) => !NOT_COMPARED.has(key))
    .map((key) => [key, plain((value as Record<string, unknown>)[key])] as const)
    .filter(([, held]) => held !== undefined && held !== null && held !== 0 && held !== false && held !== '')
    .filter(([, held]) => typeof held !== 'object' || Object.keys(held as object).length > 0);
  return Object.fromEntries(entries);
}

/** What of the event the command says too. */
function common(event: unknown, command: unknown): unknown {
  if (typeof command !== 'object' || command === null || typeof event !== 'object' || event === null) return event;
  if (Array.isArray(command)) return Array.isArray(event) ? event.map((item, i) => common(item, command[i])) : event;
  return Object.fromEntries(Object.keys(command).map((key) => [key, common((event as never)[key], (command as never)[key])]));
}

const nameOf = (event: HistoryEvent) => EventType[event.eventType!]!.replace('EVENT_TYPE_', '');

let host: WorkflowHost;
/** How the local activity under way ended in the recording. */
let markers: HistoryEvent[] = [];
beforeAll(async () => {
  host = await createWorkflowHost({
    workflowsPath: `${folder}workflows.js`,
    namespace: 'golden',
    taskQueue: 'unknown',
    identity: 'test',
    logger: silentLogger,
    runLocalActivity: (task) => Promise.resolve(recordedOutcome(task)),
  });
});
afterAll(() => host.dispose());

function recordedOutcome({ activityId, attempt }: LocalActivityTask): LocalActivityResult {
  const marker = markers.find((event) => markerDetail<{ activity_id: string }>(event, 'data')?.activity_id === activityId)!;
  const data = markerDetail<{ attempt: number }>(marker, 'data')!;
  const { failure, details } = marker.markerRecordedEventAttributes!;
  if (attempt < data.attempt) return { kind: 'failed', failure: { message: 'not yet', applicationFailureInfo: { type: 'NotYet' } } };
  return failure ? { kind: 'failed', failure } : { kind: 'completed', result: details?.result?.payloads?.[0] };
}

class Execution {
  readonly #events: HistoryEvent[];
  #sent = 0;
  #previousStarted = 0;

  constructor(name: string) {
    this.#events = historyFromJson(readFileSync(`${folder}${name}`, 'utf8')).events!;
    markers = this.#events.filter((event) => event.markerRecordedEventAttributes);
  }

  /** Every completed task: the commands that come of it, and the events that the recorded ones became. */
  async *tasks(): AsyncGenerator<{ completion: WorkflowTaskCompletion; expected: HistoryEvent[] }> {
    for (let i = 0; i < this.#events.length; i++) {
      const completed = this.#events[i]!.workflowTaskCompletedEventAttributes;
      if (!completed) continue;
      const started = Number(completed.startedEventId);
      const expected: HistoryEvent[] = [];
      for (let k = i + 1; nameOf(this.#events[k] ?? { eventType: 0 }) in EVENTS; k++) expected.push(this.#events[k]!);
      yield { completion: await this.#task(started, expected), expected };
      this.#previousStarted = started;
    }
  }

  async #task(started: number, expected: HistoryEvent[]): Promise<WorkflowTaskCompletion> {
    const attributes = this.#events[0]!.workflowExecutionStartedEventAttributes!;
    const events = this.#events.slice(this.#sent, started);
    this.#sent = started;
    const messages = expected.flatMap((event) => {
      const accepted = event.workflowExecutionUpdateAcceptedEventAttributes;
      if (!accepted) return [];
      const value = temporal.api.update.v1.Request.encode(accepted.acceptedRequest!).finish();
      const body = { type_url: 'type.googleapis.com/temporal.api.update.v1.Request', value };
      return [{ id: accepted.acceptedRequestMessageId, protocolInstanceId: accepted.protocolInstanceId, eventId: Long.fromNumber(started - 1), body }];
    });
    const outcome = await host.handleTask(
      {
        workflowExecution: { workflowId: attributes.workflowId, runId: attributes.originalExecutionRunId },
        workflowType: attributes.workflowType,
        previousStartedEventId: Long.fromNumber(this.#previousStarted),
        startedEventId: Long.fromNumber(started),
        history: { events },
        messages,
      },
      () => Promise.reject(new Error('nothing to fetch')),
    );
    if (outcome.kind !== 'completed') throw new Error(JSON.stringify(outcome));
    return outcome.completion;
  }
}

function compare(command: Command, event: HistoryEvent): void {
  const [eventKey, commandKey] = EVENTS[nameOf(event)]!;
  const attributes = plain((command as Record<string, unknown>)[commandKey]);
  expect(attributes, `${CommandType[command.commandType!]} for ${nameOf(event)}`).toBeDefined();
  const recorded = plain((event as Record<string, unknown>)[eventKey]) as Record<string, unknown>;
  // Two commands name the other workflow in another way than their events do.
  const target = recorded.workflowExecution as { workflowId?: string; runId?: string } | undefined;
  const named = { ...recorded, execution: target, ...(recorded.workflowId ? {} : { workflowId: target?.workflowId, runId: target?.runId }) };
  expect(attributes).toEqual(common(named, attributes));
  if (event.userMetadata) expect(plain(command.userMetadata)).toEqual(plain(event.userMetadata));
}

// Left out: runs that fail in their code or whose local activities take real time (heartbeats, timeouts), which have tests of their own.
const skipped = /^(throws-error|unknown-type|local-long|local-timeout|non-determinism)/;

describe('commands of recorded tasks', () => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json') && !skipped.test(name));
  test.each(names)('%s', async (name) => {
    let tasks = 0;
    for await (const { completion, expected } of new Execution(name).tasks()) {
      tasks++;
      const commands = completion.commands ?? [];
      expect(commands.map(({ commandType }) => CommandType[commandType!])).toHaveLength(expected.length);
      commands.forEach((command, i) => {
        compare(command, expected[i]!);
      });
    }
    expect(tasks).toBeGreaterThan(0);
  });
});
