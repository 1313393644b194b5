/** Splicing stored history into a response: bytes of a History are written as a field without being decoded. */
import protobuf from 'protobufjs';
import { api, type HistoryEvent } from '../core/api.js';
import type { HistoryRow } from '../storage/history.js';

interface AnyType {
  encode(message: object, writer?: protobuf.Writer): protobuf.Writer;
}

const HistoryCodec = api.history.v1.History;

/** Events as the bytes of a History. */
export function joinEvents(encoded: readonly Uint8Array[]): Buffer {
  const writer = protobuf.Writer.create();
  for (const bytes of encoded) writer.uint32(10).bytes(bytes);
  return writer.finish() as Buffer;
}

export const encodeEvents = (events: readonly HistoryEvent[]): Buffer => HistoryCodec.encode({ events: [...events] }).finish() as Buffer;

export const decodeEvents = (bytes: Uint8Array): HistoryEvent[] => HistoryCodec.decode(bytes).events as HistoryEvent[];

/** The last event alone, as the bytes of a History: those it has there. */
export function lastEventOf(history: Uint8Array): Uint8Array {
  const reader = protobuf.Reader.create(history);
  let from = 0;
  while (reader.pos < reader.len) {
    from = reader.pos;
    reader.skipType(reader.uint32() & 7);
  }
  return history.subarray(from);
}

/** The events of one row from `fromEventId` on and below `beforeEventId`: the row's own bytes when all of them are wanted. */
export function sliceRow(row: HistoryRow, fromEventId: number, beforeEventId: number): Uint8Array {
  if (row.firstEventId >= fromEventId && row.lastEventId < beforeEventId) return row.events;
  const events = decodeEvents(row.events).filter((_, i) => row.firstEventId + i >= fromEventId && row.firstEventId + i < beforeEventId);
  return encodeEvents(events);
}

/** A message without its history, and the history's bytes as the field of that number. */
export function spliceHistory(type: AnyType, message: object, field: number, parts: readonly Uint8Array[]): Uint8Array {
  const writer = type.encode(message, protobuf.Writer.create());
  writer.uint32((field << 3) | 2).bytes(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
  return writer.finish();
}
