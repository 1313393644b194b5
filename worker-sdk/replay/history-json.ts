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
  return fromJson(HistoryType, object, { ignoreUnknownFields: true }) as unknown as History;
}

/** Writes a history as JSON that every tool of the open API reads. */
export function historyToJson(history: History): unknown {
  return toJson(HistoryType, proto.temporal.api.history.v1.History.fromObject(history as { [key: string]: unknown }));
}
