/** When a schedule acts: by calendar, interval or cron expression. */
import type { Duration } from '../definitions/duration.js';

/** Names of the months, as the API counts them. */
export const MONTHS = [
  'JANUARY',
  'FEBRUARY',
  'MARCH',
  'APRIL',
  'MAY',
  'JUNE',
  'JULY',
  'AUGUST',
  'SEPTEMBER',
  'OCTOBER',
  'NOVEMBER',
  'DECEMBER',
] as const;
/** Name of a month. */
export type Month = (typeof MONTHS)[number];

/** Names of the days, as the API counts them: Sunday is 0. */
export const DAYS_OF_WEEK = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'] as const;
/** Name of a day of the week. */
export type DayOfWeek = (typeof DAYS_OF_WEEK)[number];

/** From `start` to `end`, both included, every `step`. */
export interface Range<Unit> {
  /** The first of it. */
  start: Unit;
  /** The last of it, if a step leads there. */
  end: Unit;
  /** At least 1; 1 takes every one. */
  step: number;
}

/** A range, part of one, or a single value: `end` defaults to `start`, `step` to 1. */
export type LooseRange<Unit> = Range<Unit> | { start: Unit; end?: Unit; step?: never } | Unit;
type Field<Unit> = LooseRange<Unit> | LooseRange<Unit>[] | '*';

/** Times by their place in the calendar: those at which all fields match. */
export interface CalendarSpec {
  /** Default 0. */
  second?: Field<number>;
  /** Default 0. */
  minute?: Field<number>;
  /** Default 0. */
  hour?: Field<number>;
  /** Default `*`. */
  dayOfMonth?: Field<number>;
  /** Default `*`. */
  month?: Field<Month>;
  /** Default `*`. */
  year?: Field<number>;
  /** Default `*`. */
  dayOfWeek?: Field<DayOfWeek>;
  /** For people. */
  comment?: string;
}

/** A {@link CalendarSpec} with all fields as lists of ranges: `second`, `minute`, `hour`, `dayOfMonth`, `month`, `dayOfWeek`. */
export interface CalendarSpecDescription {
  second: Range<number>[];
  minute: Range<number>[];
  hour: Range<number>[];
  dayOfMonth: Range<number>[];
  month: Range<Month>[];
  /** Empty for any. */
  year: Range<number>[];
  dayOfWeek: Range<DayOfWeek>[];
  /** For people. */
  comment?: string;
}

/** Times at `epoch + n * every + offset`. */
export interface IntervalSpec {
  /** Above 0. */
  every: Duration;
  /** Default 0. */
  offset?: Duration;
}

/** An {@link IntervalSpec} whose `every` and `offset` are milliseconds. */
export interface IntervalSpecDescription {
  every: number;
  offset: number;
}

/** Times at which actions are due: those of calendars, intervals and cron expressions together, without those of `skip`. */
export interface ScheduleSpec {
  /** Times that match any of these. */
  calendars?: CalendarSpec[];
  /** Times of any of these. */
  intervals?: IntervalSpec[];
  /** Five to seven fields, or `@hourly`, `@every 5m` and the like. */
  cronExpressions?: string[];
  /** Times that match any of these are left out. */
  skip?: CalendarSpec[];
  /** Times before this are skipped. */
  startAt?: Date;
  /** Times after this are skipped. */
  endAt?: Date;
  /** Each time is later by a random part of this. */
  jitter?: Duration;
  /** IANA name, for example `Europe/Berlin`. Default UTC. */
  timezone?: string;
}

/** A {@link ScheduleSpec} as the server keeps it, with `calendars`, `intervals` and `skip` spelt out: cron expressions have become calendars. */
export type ScheduleSpecDescription = Omit<ScheduleSpec, 'calendars' | 'intervals' | 'cronExpressions' | 'skip' | 'jitter'> & {
  calendars?: CalendarSpecDescription[];
  intervals?: IntervalSpecDescription[];
  skip?: CalendarSpecDescription[];
  /** Milliseconds. */
  jitter?: number;
};
