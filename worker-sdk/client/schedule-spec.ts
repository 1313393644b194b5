/** Specs of schedules between the words that people use and the API's numbers. */
import type { temporal } from '../definitions/api.js';
import {
  msOptionalToNumber,
  msOptionalToTs,
  msToTs,
  optionalDateToTs,
  optionalTsToDate,
  optionalTsToMs,
  tsToMs,
} from '../definitions/duration.js';
import { ValueError } from '../definitions/errors.js';
import type {
  CalendarSpec,
  CalendarSpecDescription,
  DayOfWeek,
  LooseRange,
  Month,
  Range,
  ScheduleSpec,
  ScheduleSpecDescription,
} from './schedule-times.js';
import { DAYS_OF_WEEK, MONTHS } from './schedule-times.js';

type ProtoSpec = temporal.api.schedule.v1.IScheduleSpec;
type ProtoCalendar = temporal.api.schedule.v1.IStructuredCalendarSpec;
type ProtoRange = temporal.api.schedule.v1.IRange;

/** How one field of a calendar is written: its units as numbers, what it is when left out, and what `*` means. */
interface FieldCodec<Unit> {
  name: string;
  toNumber(unit: Unit): number | undefined;
  fromNumber(value: number): Unit;
  all: ProtoRange[];
  fallback: ProtoRange[];
}

const numeric = (name: string, min: number, max: number, fallback?: ProtoRange[]): FieldCodec<number> => {
  const all = [{ start: min, end: max, step: 1 }];
  const toNumber = (unit: number) => (Number.isInteger(unit) && unit >= min && unit <= max ? unit : undefined);
  return { name, toNumber, fromNumber: (value) => value, all, fallback: fallback ?? all };
};
const zero = [{ start: 0, end: 0, step: 1 }];
const YEARS: FieldCodec<number> = { ...numeric('year', 2000, 2100), all: [], fallback: [] };
const MONTH: FieldCodec<Month> = {
  ...words('month', MONTHS, 1),
  all: [{ start: 1, end: 12, step: 1 }],
  fallback: [{ start: 1, end: 12, step: 1 }],
};
const DAY_OF_WEEK: FieldCodec<DayOfWeek> = {
  ...words('dayOfWeek', DAYS_OF_WEEK, 0),
  all: [{ start: 0, end: 6, step: 1 }],
  fallback: [{ start: 0, end: 6, step: 1 }],
};
const SECOND = numeric('second', 0, 59, zero);
const MINUTE = numeric('minute', 0, 59, zero);
const HOUR = numeric('hour', 0, 23, zero);
const DAY_OF_MONTH = numeric('dayOfMonth', 1, 31);

function words<Word extends string>(name: string, list: readonly Word[], first: number) {
  return {
    name,
    toNumber: (word: Word) => (list.includes(word) ? list.indexOf(word) + first : undefined),
    fromNumber: (value: number) => list[value - first] as Word,
  };
}

function encodeField<Unit extends string | number>(
  codec: FieldCodec<Unit>,
  value: LooseRange<Unit> | LooseRange<Unit>[] | '*' | undefined,
): ProtoRange[] {
  if (value === undefined) return codec.fallback;
  if (value === '*') return codec.all;
  const number = (unit: Unit): number => {
    const found = codec.toNumber(unit);
    if (found === undefined) throw new ValueError(`Invalid CalendarSpec.${codec.name}: got ${JSON.stringify(unit)}`);
    return found;
  };
  return (Array.isArray(value) ? value : [value]).map((item: LooseRange<Unit>) => {
    if (typeof item !== 'object') return { start: number(item), end: number(item), step: 1 };
    const { start, end, step } = item as Range<Unit>;
    return { start: number(start), end: number(end ?? start), step: step ?? 1 };
  });
}

/** On the wire an end of 0 means the start, a step of 0 means 1. */
function decodeField<Unit>(codec: FieldCodec<Unit>, ranges: ProtoRange[] | null | undefined): Range<Unit>[] {
  return (ranges ?? []).map(({ start, end, step }) => ({
    start: codec.fromNumber(start ?? 0),
    end: codec.fromNumber(Math.max(start ?? 0, end ?? 0)),
    step: step || 1,
  }));
}

function encodeCalendar(spec: CalendarSpec): ProtoCalendar {
  return {
    second: encodeField(SECOND, spec.second),
    minute: encodeField(MINUTE, spec.minute),
    hour: encodeField(HOUR, spec.hour),
    dayOfMonth: encodeField(DAY_OF_MONTH, spec.dayOfMonth),
    month: encodeField(MONTH, spec.month),
    year: encodeField(YEARS, spec.year),
    dayOfWeek: encodeField(DAY_OF_WEEK, spec.dayOfWeek),
    comment: spec.comment,
  };
}

function decodeCalendar(spec: ProtoCalendar): CalendarSpecDescription {
  return {
    second: decodeField(SECOND, spec.second),
    minute: decodeField(MINUTE, spec.minute),
    hour: decodeField(HOUR, spec.hour),
    dayOfMonth: decodeField(DAY_OF_MONTH, spec.dayOfMonth),
    month: decodeField(MONTH, spec.month),
    year: decodeField(YEARS, spec.year),
    dayOfWeek: decodeField(DAY_OF_WEEK, spec.dayOfWeek),
    comment: spec.comment || undefined,
  };
}

/** Spec -> message. */
export function encodeScheduleSpec(spec: ScheduleSpec): ProtoSpec {
  return {
    structuredCalendar: spec.calendars?.map(encodeCalendar),
    interval: spec.intervals?.map(({ every, offset }) => ({ interval: msToTs(every), phase: msOptionalToTs(offset) })),
    cronString: spec.cronExpressions,
    excludeStructuredCalendar: spec.skip?.map(encodeCalendar),
    startTime: optionalDateToTs(spec.startAt),
    endTime: optionalDateToTs(spec.endAt),
    jitter: msOptionalToTs(msOptionalToNumber(spec.jitter)),
    timezoneName: spec.timezone,
  };
}

/** Message -> spec. */
export function decodeScheduleSpec(spec: ProtoSpec | null | undefined): ScheduleSpecDescription {
  return {
    calendars: spec?.structuredCalendar?.map(decodeCalendar),
    intervals: spec?.interval?.map(({ interval, phase }) => ({ every: tsToMs(interval), offset: tsToMs(phase) })),
    skip: spec?.excludeStructuredCalendar?.map(decodeCalendar),
    startAt: optionalTsToDate(spec?.startTime),
    endAt: optionalTsToDate(spec?.endTime),
    jitter: optionalTsToMs(spec?.jitter),
    timezone: spec?.timezoneName || undefined,
  };
}
