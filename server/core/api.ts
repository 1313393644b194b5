/**
 * The open workflow API as the server sees it: its message types, its enums, and the two spellings of int64.
 * The only file of the core that names the package; everything else imports from here.
 */
import proto, { type google, type temporal } from '@temporalio/proto';
import type Long from 'long';

export type { google, temporal };

/** Runtime namespaces of the API: enums and message classes, as protobufjs reflection objects. */
export const api = proto.temporal.api;
export const enums = proto.temporal.api.enums.v1;

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
export type Payload = temporal.api.common.v1.IPayload;
export type Payloads = temporal.api.common.v1.IPayloads;
export type Failure = temporal.api.failure.v1.IFailure;
export type Command = temporal.api.command.v1.ICommand;
export type Timestamp = google.protobuf.ITimestamp;
export type Duration = google.protobuf.IDuration;

/** An int64 field that is written from a plain number: the encoder takes both, only the declared type wants Long. */
export const int64 = (value: number): Long => value as unknown as Long;

/** The plain number of an int64 field that was decoded (Long), written by us (number) or left out. */
export function toNumber(value: Long | number | null | undefined): number {
  if (value === null || value === undefined) return 0;
  return typeof value === 'number' ? value : value.toNumber();
}

/** Milliseconds since the epoch -> Timestamp. */
export function toTimestamp(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1000);
  return { seconds: int64(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

/** Timestamp -> milliseconds since the epoch; 0 when absent. */
export function fromTimestamp(value: Timestamp | null | undefined): number {
  return value ? toNumber(value.seconds) * 1000 + (value.nanos ?? 0) / 1e6 : 0;
}

/** Milliseconds -> Duration. */
export function toDuration(ms: number): Duration {
  const seconds = Math.trunc(ms / 1000);
  return { seconds: int64(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

/** Duration -> milliseconds; 0 when absent. */
export function fromDuration(value: Duration | null | undefined): number {
  return value ? toNumber(value.seconds) * 1000 + (value.nanos ?? 0) / 1e6 : 0;
}
