/** An event history as a table: one line an event, with what tells it from its neighbours. */
import type { temporal } from '@temporalio/proto';
import { enumName } from '../rpc/open-api.js';
import { payloadsText } from './payload.js';
import { table } from './print.js';
import { isoTime } from './time.js';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Attributes = Record<string, unknown>;

/** Long inputs are cut: `--output json` has all of it. */
const LONGEST = 160;

export const historyTable = (events: readonly HistoryEvent[]): string =>
  table(['ID', 'TIME', 'EVENT', 'DETAILS'], events.map((event) => [String(event.eventId), isoTime(event.eventTime), eventName(event.eventType), details(event)]));

/** `ActivityTaskScheduled` for EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: the form that the API's documentation uses. */
export const eventName = (type: number | null | undefined): string =>
  enumName('temporal.api.enums.v1.EventType', type)
    .replace('EVENT_TYPE_', '')
    .toLowerCase()
    .replace(/(^|_)([a-z0-9])/g, (_all, _gap, letter: string) => letter.toUpperCase());

const attributesOf = (event: HistoryEvent): Attributes => {
  const name = Object.keys(event).find((key) => key.endsWith('EventAttributes'));
  return (name === undefined ? undefined : (event as Attributes)[name] as Attributes | undefined) ?? {};
};

/** What is worth a word, in the order it is read: name of the word, and where it is found. */
const WORDS: readonly (readonly [string, (attributes: Attributes) => string])[] = [
  ['', (a) => nameOf(a['workflowType'])],
  ['', (a) => nameOf(a['activityType'])],
  ['', (a) => text(a['signalName'])],
  ['', (a) => text(a['markerName'])],
  ['activity', (a) => text(a['activityId'])],
  ['timer', (a) => text(a['timerId'])],
  ['after', (a) => seconds(a['startToFireTimeout'])],
  ['workflow', (a) => text(a['workflowId']) || text((a['workflowExecution'] as Attributes | undefined)?.['workflowId'])],
  ['update', (a) => text((a['meta'] as Attributes | undefined)?.['updateId']) || text(a['protocolInstanceId'])],
  ['input', (a) => payloadsText(a['input'] as Parameters<typeof payloadsText>[0])],
  ['result', (a) => payloadsText(a['result'] as Parameters<typeof payloadsText>[0])],
  ['failure', (a) => failureText(a['failure'] ?? a['lastFailure'])],
  ['attempt', (a) => (typeof a['attempt'] === 'number' && a['attempt'] > 1 ? String(a['attempt']) : '')],
  ['scheduled', (a) => id(a['scheduledEventId'])],
  ['reason', (a) => text(a['reason'])],
  ['new run', (a) => text(a['newExecutionRunId'])],
  ['by', (a) => text(a['identity'])],
];

const details = (event: HistoryEvent): string => {
  const attributes = attributesOf(event);
  const words = WORDS.flatMap(([word, find]) => {
    const found = find(attributes);
    if (found === '') return [];
    const cut = found.length > LONGEST ? `${found.slice(0, LONGEST - 1)}…` : found;
    return [word === '' ? cut : `${word}=${cut}`];
  });
  return words.join('  ');
};

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const nameOf = (value: unknown): string => text((value as { name?: unknown } | null | undefined)?.name);
const id = (value: unknown): string => (value === null || value === undefined || String(value) === '0' ? '' : `#${String(value)}`);
const seconds = (value: unknown): string => {
  const duration = value as { seconds?: unknown; nanos?: number } | null | undefined;
  return duration ? `${Number(String(duration.seconds ?? 0)) + (duration.nanos ?? 0) / 1e9} s` : '';
};

/** The message of a failure and of what caused it. */
export const failureText = (failure: unknown): string => {
  const messages: string[] = [];
  for (let at = failure as temporal.api.failure.v1.IFailure | null | undefined; at; at = at.cause) if (at.message) messages.push(at.message);
  return messages.join(': ');
};
