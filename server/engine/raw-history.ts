/** Splicing stored history into a response: bytes of a History are written as a field without being decoded. */
import protobuf from 'protobufjs';
import { api, type HistoryEvent } from '../core/api.js';
import { type Codec, bytesOf } from '../core/encode.js';
import { varintBytes, writeVarint } from '../core/varint.js';
import type { HistoryRow } from '../storage/history.js';
import { EncodedResponse } from './call.js';

const HistoryCodec = api.history.v1.History;

export const encodeEvents = (events: readonly HistoryEvent[]): Buffer => bytesOf(HistoryCodec, { events: [...events] });

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

/** A message without its history as an answer with it: the history's bytes become the field of that number. */
export function withHistory<Message>(
  codec: Codec<Message>,
  message: Message,
  field: number,
  parts: readonly Uint8Array[],
): EncodedResponse {
  let length = 0;
  for (const part of parts) length += part.length;
  const tag = (field << 3) | 2;
  const header = Buffer.allocUnsafe(varintBytes(tag) + varintBytes(length));
  writeVarint(header, writeVarint(header, 0, tag), length);
  return new EncodedResponse(bytesOf(codec, message), header, ...parts);
}
