/** A history in any of the forms it is kept in: message, its JSON as tools of the open API write it, or bytes. */
import { createRequire } from 'node:module';
import proto from '@temporalio/proto';
import type { Root, Type } from 'protobufjs';
import type { History } from '../definitions/api.js';
import { ValueError } from '../definitions/errors.js';

/**
 * Reads a history.
 * @throws {@link ValueError} when it is none.
 */
export function readHistory(source: unknown): History {
  if (source instanceof Uint8Array) return proto.temporal.api.history.v1.History.decode(source);
  const value = typeof source === 'string' ? (JSON.parse(source) as unknown) : source;
  const events = (value as { events?: unknown } | null)?.events;
  if (!Array.isArray(events)) throw new ValueError(`Invalid history: expected an object with 'events', got ${typeof value}`);
  if (events.length === 0) throw new ValueError('Invalid history: expected at least one event, got none');
  return isJson(events[0]) ? fromJson({ events }) : (value as History);
}

/** JSON has texts where messages have numbers and bytes. */
function isJson(event: object): boolean {
  const { eventType, eventTime, eventId } = event as { eventType?: unknown; eventTime?: unknown; eventId?: unknown };
  return typeof eventType === 'string' || typeof eventTime === 'string' || typeof eventId === 'string';
}

interface ProtoJson {
  fromJson(type: Type, json: unknown, options: { ignoreUnknownFields: boolean }): object;
}

/** ProtoJSON -> message, by the copy of protobufjs that made the API's types: another would not know them. */
function fromJson(json: object): History {
  const near = createRequire(createRequire(import.meta.url).resolve('@temporalio/proto'));
  const root = proto as unknown as Root;
  const type = root.lookupType('temporal.api.history.v1.History');
  return (near('protobufjs/ext/protojson') as ProtoJson).fromJson(type, json, { ignoreUnknownFields: true }) as History;
}
