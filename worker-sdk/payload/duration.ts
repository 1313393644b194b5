// Durations as people write them ('5 minutes', 1500) and as the API carries them (seconds and nanos).
import type { google } from '@temporalio/proto';

export type Timestamp = google.protobuf.ITimestamp;

type Unit =
  | 'years' | 'year' | 'yrs' | 'yr' | 'y'
  | 'weeks' | 'week' | 'w'
  | 'days' | 'day' | 'd'
  | 'hours' | 'hour' | 'hrs' | 'hr' | 'h'
  | 'minutes' | 'minute' | 'mins' | 'min' | 'm'
  | 'seconds' | 'second' | 'secs' | 'sec' | 's'
  | 'milliseconds' | 'millisecond' | 'msecs' | 'msec' | 'ms';
type AnyCaseUnit = Unit | Uppercase<Unit> | Capitalize<Unit>;
/** A duration in words, such as `'10s'`, `'1.5 hours'` or `'30 days'`. */
export type StringValue = `${number}` | `${number}${AnyCaseUnit}` | `${number} ${AnyCaseUnit}`;
/** Milliseconds as a number, or a duration in words. */
export type Duration = StringValue | number;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const UNIT_MS: Readonly<Record<string, number>> = {
  years: 365.25 * DAY, year: 365.25 * DAY, yrs: 365.25 * DAY, yr: 365.25 * DAY, y: 365.25 * DAY,
  weeks: 7 * DAY, week: 7 * DAY, w: 7 * DAY,
  days: DAY, day: DAY, d: DAY,
  hours: HOUR, hour: HOUR, hrs: HOUR, hr: HOUR, h: HOUR,
  minutes: MINUTE, minute: MINUTE, mins: MINUTE, min: MINUTE, m: MINUTE,
  seconds: SECOND, second: SECOND, secs: SECOND, sec: SECOND, s: SECOND,
  milliseconds: 1, millisecond: 1, msecs: 1, msec: 1, ms: 1,
};

const PATTERN = /^(-?\d*\.?\d+)\s*([a-z]*)$/i;

/** Milliseconds of a duration. Throws a TypeError that shows what came when it is neither a number nor readable. */
export function msToNumber(duration: Duration): number {
  if (typeof duration === 'number') {
    if (Number.isNaN(duration)) throw new TypeError('Invalid duration: expected milliseconds, got NaN');
    return duration;
  }
  const match = typeof duration === 'string' ? PATTERN.exec(duration.trim()) : null;
  const unit = match ? UNIT_MS[(match[2] || 'ms').toLowerCase()] : undefined;
  if (!match || unit === undefined) {
    throw new TypeError(`Invalid duration: expected milliseconds or text such as '10s' or '5 minutes', got ${JSON.stringify(duration)}`);
  }
  return Number(match[1]) * unit;
}

/** {@link msToNumber} of an optional duration. */
export function msOptionalToNumber(duration: Duration | null | undefined): number | undefined {
  return duration === null || duration === undefined ? undefined : msToNumber(duration);
}

/** A number of milliseconds as the API's seconds and nanos. */
export function msNumberToTs(millis: number): Timestamp {
  const seconds = Math.floor(millis / 1000);
  const nanos = Math.round((millis - seconds * 1000) * 1_000_000);
  if (Number.isNaN(seconds) || Number.isNaN(nanos)) throw new TypeError(`Invalid duration: expected milliseconds, got ${millis}`);
  return { seconds: seconds as unknown as NonNullable<Timestamp['seconds']>, nanos };
}

/** A duration as the API's seconds and nanos. */
export function msToTs(duration: Duration): Timestamp {
  return msNumberToTs(msToNumber(duration));
}

/** {@link msToTs} of an optional duration. */
export function msOptionalToTs(duration: Duration | null | undefined): Timestamp | undefined {
  return duration === null || duration === undefined ? undefined : msToTs(duration);
}

/** Milliseconds of the API's seconds and nanos, whole (nanos are cut off). */
export function tsToMs(ts: Timestamp | null | undefined): number {
  if (ts === null || ts === undefined) throw new TypeError(`Expected a timestamp, got ${ts}`);
  return Number(ts.seconds ?? 0) * 1000 + Math.floor((ts.nanos ?? 0) / 1_000_000);
}

/** {@link tsToMs} of an optional timestamp. */
export function optionalTsToMs(ts: Timestamp | null | undefined): number | undefined {
  return ts === null || ts === undefined ? undefined : tsToMs(ts);
}

/** {@link tsToMs} that names the field when it is missing. */
export function requiredTsToMs(ts: Timestamp | null | undefined, fieldName: string): number {
  if (ts === null || ts === undefined) throw new TypeError(`Expected ${fieldName} to be a timestamp, got ${ts}`);
  return tsToMs(ts);
}

/** A timestamp as a Date. */
export function tsToDate(ts: Timestamp): Date {
  return new Date(tsToMs(ts));
}

/** {@link tsToDate} of an optional timestamp. */
export function optionalTsToDate(ts: Timestamp | null | undefined): Date | undefined {
  return ts === null || ts === undefined ? undefined : tsToDate(ts);
}

/** {@link tsToDate} that names the field when it is missing. */
export function requiredTsToDate(ts: Timestamp | null | undefined, fieldName: string): Date {
  return new Date(requiredTsToMs(ts, fieldName));
}

/** A Date as the API's timestamp. */
export function optionalDateToTs(date: Date | null | undefined): Timestamp | undefined {
  return date === null || date === undefined ? undefined : msNumberToTs(date.getTime());
}
