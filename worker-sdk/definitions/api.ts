/**
 * The open workflow API's message types and the two spellings of int64, for the SDK. Types only: workflow code is
 * bundled with files that import this one, so nothing here may pull the API's codecs in at runtime.
 */
import type { google, temporal } from '@temporalio/proto';
import type Long from 'long';

export type { google, temporal };

/** A value as it travels: bytes, and metadata that says how they are encoded. */
export type Payload = temporal.api.common.v1.IPayload;
/** A failure as the API carries it. */
export type ProtoFailure = temporal.api.failure.v1.IFailure;
export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
/** The history of a run, as the API carries it. */
export type History = temporal.api.history.v1.IHistory;
export type ProtoDuration = google.protobuf.IDuration;
/** A moment as the API carries it: seconds and nanoseconds since 1970. */
export type Timestamp = google.protobuf.ITimestamp;

/** An int64 field that is written from a plain number: the encoder takes both, only the declared type wants Long. */
export const int64 = (value: number): Long => value as unknown as Long;

/** The plain number of an int64 field that was decoded (Long), written by us (number) or left out (0). */
export function toNumber(value: Long | number | null | undefined): number {
  if (value === null || value === undefined) return 0;
  return typeof value === 'number' ? value : value.toNumber();
}
