/**
 * Durations as people write them (milliseconds, or text such as `30s`, `5 minutes`) and as the API carries them.
 * The grammar is that of the npm package `ms`, which the field uses.
 */
import type { ProtoDuration, Timestamp } from './api.js';
import { int64, toNumber } from './api.js';
import { ValueError } from './errors.js';

type Unit =
  | 'Years'
  | 'Year'
  | 'Yrs'
  | 'Yr'
  | 'Y'
  | 'Weeks'
  | 'Week'
  | 'W'
  | 'Days'
  | 'Day'
  | 'D'
  | 'Hours'
  | 'Hour'
  | 'Hrs'
  | 'Hr'
  | 'H'
  | 'Minutes'
  | 'Minute'
  | 'Mins'
  | 'Min'
  | 'M'
  | 'Seconds'
  | 'Second'
  | 'Secs'
  | 'Sec'
  | 's'
  | 'Milliseconds'
  | 'Millisecond'
  | 'Msecs'
  | 'Msec'
  | 'Ms';
type UnitAnyCase = Unit | Uppercase<Unit> | Lowercase<Unit>;

/** Duration text: a number and a unit, for example `10s`, `1.5 hours`, `2 days`. Without a unit: milliseconds. */
export type StringValue = `${number}` | `${number}${UnitAnyCase}` | `${number} ${UnitAnyCase}`;

/** A length of time: milliseconds, or {@link StringValue | text} such as `'30 seconds'`. */
export type Duration = StringValue | number;

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const UNIT_MS: Record<string, number> = { '': 1 };
const names: [number, string][] = [
  [1, 'milliseconds millisecond msecs msec ms'],
  [SECOND_MS, 'seconds second secs sec s'],
  [MINUTE_MS, 'minutes minute mins min m'],
  [HOUR_MS, 'hours hour hrs hr h'],
  [DAY_MS, 'days day d'],
  [7 * DAY_MS, 'weeks week w'],
  [365.25 * DAY_MS, 'years year yrs yr y'],
];
for (const [ms, words] of names) for (const word of words.split(' ')) UNIT_MS[word] = ms;

const DURATION_TEXT = /^(-?(?:\d+)?\.?\d+) *([a-z]*)$/i;

/**
 * Milliseconds of a duration.
 * @throws {@link ValueError} when the text is not a duration or the number is not finite.
 */
export function msToNumber(value: Duration): number {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new ValueError(`Invalid duration: expected a finite number of milliseconds, got ${value}`);
    return value;
  }
  const match = typeof value === 'string' && value.length <= 100 ? DURATION_TEXT.exec(value) : null;
  const unitMs = match ? UNIT_MS[match[2]!.toLowerCase()] : undefined;
  if (!match || unitMs === undefined) {
    throw new ValueError(`Invalid duration: expected milliseconds or text such as '30 seconds', got ${JSON.stringify(value)}`);
  }
  return Number.parseFloat(match[1]!) * unitMs;
}

/** {@link msToNumber}, passing undefined and null through as undefined. */
export function msOptionalToNumber(value: Duration | undefined | null): number | undefined {
  return value === undefined || value === null ? undefined : msToNumber(value);
}

/** A duration as the API's Duration message. */
export function msToTs(value: Duration): ProtoDuration {
  const ms = msToNumber(value);
  const seconds = Math.trunc(ms / 1000);
  return { seconds: int64(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

/** {@link msToTs}, passing undefined and null through as undefined. */
export function msOptionalToTs(value: Duration | undefined | null): ProtoDuration | undefined {
  return value === undefined || value === null ? undefined : msToTs(value);
}

/** Milliseconds of a Duration or Timestamp message; 0 when absent. */
export function tsToMs(ts: Timestamp | ProtoDuration | null | undefined): number {
  return ts ? toNumber(ts.seconds) * 1000 + Math.floor((ts.nanos ?? 0) / 1e6) : 0;
}

/** Milliseconds of a Duration or Timestamp message; undefined when absent. */
export function optionalTsToMs(ts: Timestamp | ProtoDuration | null | undefined): number | undefined {
  return ts ? tsToMs(ts) : undefined;
}

/** Date of a Timestamp message; undefined when absent. */
export function optionalTsToDate(ts: Timestamp | null | undefined): Date | undefined {
  return ts ? new Date(tsToMs(ts)) : undefined;
}

/** A Date as the API's Timestamp message; undefined when absent. */
export function optionalDateToTs(date: Date | null | undefined): Timestamp | undefined {
  if (!date) return undefined;
  const ms = date.getTime();
  const seconds = Math.floor(ms / 1000);
  return { seconds: int64(seconds), nanos: (ms - seconds * 1000) * 1e6 };
}
