/** A history in any of the forms it is kept in: message, its JSON as tools of the open API write it, or bytes. */
import proto from '@temporalio/proto';
import type { History } from '../definitions/api.js';
import { ValueError } from '../definitions/errors.js';
import { historyFromJson } from '../replay/history-json.js';

/**
 * Reads a history.
 * @throws {@link ValueError} when it is none.
 */
export function readHistory(source: unknown): History {
  if (source instanceof Uint8Array) return proto.temporal.api.history.v1.History.decode(source);
  const value = typeof source === 'string' ? (JSON.parse(source) as unknown) : source;
  const events = (Array.isArray(value) ? value : (value as { events?: unknown } | null)?.events) as object[] | undefined;
  if (!Array.isArray(events)) throw new ValueError(`Invalid history: expected an object with 'events', got ${typeof value}`);
  if (events.length === 0) throw new ValueError('Invalid history: expected at least one event, got none');
  return isJson(events[0]!) ? historyFromJson({ events }) : { events };
}

/** JSON has texts where messages have numbers and bytes. */
function isJson(event: object): boolean {
  const { eventType, eventTime, eventId } = event as { eventType?: unknown; eventTime?: unknown; eventId?: unknown };
  return typeof eventType === 'string' || typeof eventTime === 'string' || typeof eventId === 'string';
}
