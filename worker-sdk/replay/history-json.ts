/** Histories as JSON: the form in which tools of the open API print and keep them. */
import { createRequire } from 'node:module';
import proto from '@temporalio/proto';
import type { Type } from 'protobufjs';
import type * as ProtoJson from 'protobufjs/ext/protojson.js';
import type { History } from '../definitions/api.js';
import { ValueError } from '../definitions/errors.js';

// The API's types belong to the protobufjs that their package brings, of which there may be a second copy beside ours.
const apiRequire = createRequire(createRequire(import.meta.url).resolve('@temporalio/proto'));
const { fromJson, toJson } = apiRequire('protobufjs/ext/protojson') as typeof ProtoJson;
const HistoryType = proto.temporal.api.history.v1.History as unknown as Type;

/** Reads a history from the JSON that tools write: an object with `events`, or the list of events alone. */
export function historyFromJson(json: unknown): History {
  const value = typeof json === 'string' ? (JSON.parse(json) as unknown) : json;
  const object = Array.isArray(value) ? { events: value as unknown[] } : value;
  if (typeof object !== 'object' || object === null || !('events' in object)) {
    throw new ValueError(`Expected the JSON of a history to be an object with events, got ${Array.isArray(value) ? 'a list' : typeof value}`);
  }
  const { events } = object as { events: unknown };
  if (!Array.isArray(events)) throw new ValueError(`Expected events of a history to be a list, got ${typeof events}`);
  const bare = events.find((event) => typeof event !== 'object' || event === null || !Object.keys(event as object).some((key) => /attributes$/i.test(key)));
  if (bare !== undefined) throw new ValueError(`Expected an event with attributes, got ${JSON.stringify(bare).slice(0, 100)}`);
  return fromJson(HistoryType, { events: fullNames(events) }, { ignoreUnknownFields: true }) as unknown as History;
}

/** Enums in histories that older tools wrote: `WorkflowExecutionStarted` for EVENT_TYPE_WORKFLOW_EXECUTION_STARTED. */
const SHORT_ENUMS: Readonly<Record<string, string>> = {
  eventType: 'EVENT_TYPE_',
  kind: 'TASK_QUEUE_KIND_',
  parentClosePolicy: 'PARENT_CLOSE_POLICY_',
  workflowIdReusePolicy: 'WORKFLOW_ID_REUSE_POLICY_',
  initiator: 'CONTINUE_AS_NEW_INITIATOR_',
  retryState: 'RETRY_STATE_',
};

function fullNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fullNames);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fullName(key, item)]));
}

function fullName(key: string, value: unknown): unknown {
  const prefix = SHORT_ENUMS[key];
  if (prefix === undefined || typeof value !== 'string' || !/^(?:[A-Z][a-z]+)+$/.test(value)) return fullNames(value);
  return prefix + value.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
}

/** Writes a history as JSON that every tool of the open API reads. */
export function historyToJson(history: History): unknown {
  return toJson(HistoryType, proto.temporal.api.history.v1.History.fromObject(history as { [key: string]: unknown }));
}
