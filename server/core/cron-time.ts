/** Finding the next time on the wall clock of a zone that a cron rule matches, across changes to and from summer time. */

/** A moment as a clock on the wall shows it. */
export interface WallClock {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
  /** 0 is Sunday. */
  weekday: number;
  hour: number;
  minute: number;
}

/** What a rule asks of the wall clock. */
export interface CronRule {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  dayMatches(at: WallClock): boolean;
}

/** How far a zone is ahead of UTC at a moment, in milliseconds. */
type Offset = (ms: number) => number;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const YEARS_AHEAD = 5;

/** Zones that were asked for lately. There are about 600, but each may be written in many ways: large and small letters are the same. */
const offsets = new Map<string, Offset>();
const ZONES_MAX = 1_000;
const IS_UTC = new Set(['UTC', 'Local']);

function offsetOf(zone: string): Offset {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (ms) => {
    const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000;
  };
}

/** The offset of a zone by its IANA name. Throws RangeError for a name that is not known; `Local` is UTC, as servers run. */
export function zoneOf(zone: string): Offset {
  if (IS_UTC.has(zone)) return () => 0;
  let offset = offsets.get(zone);
  if (!offset) {
    offset = offsetOf(zone);
    if (offsets.size >= ZONES_MAX) offsets.clear();
    offsets.set(zone, offset);
  }
  return offset;
}

export function isKnownZone(zone: string): boolean {
  try {
    zoneOf(zone);
    return true;
  } catch {
    return false;
  }
}

function wallClock(ms: number, offset: Offset): WallClock {
  const local = new Date(ms + offset(ms));
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    weekday: local.getUTCDay(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
  };
}

/** The first moment of a local day; where midnight is skipped, the moment at which the clock jumps over it. */
function startOfDay(year: number, month: number, day: number, offset: Offset): number {
  const local = Date.UTC(year, month - 1, day);
  const guess = local - offset(local);
  const start = local - offset(guess);
  const at = wallClock(start, offset);
  return Date.UTC(at.year, at.month - 1, at.day) < local ? start + (24 - at.hour) * HOUR_MS - at.minute * MINUTE_MS : start;
}

/** The first moment after `afterMs` that the rule matches; undefined when there is none in five years. */
export function nextMatch(rule: CronRule, offset: Offset, afterMs: number): number | undefined {
  let ms = Math.floor(afterMs / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
  const lastYear = wallClock(ms, offset).year + YEARS_AHEAD;
  for (;;) {
    const at = wallClock(ms, offset);
    if (at.year > lastYear) return undefined;
    if (!rule.months.has(at.month)) ms = startOfDay(at.year, at.month + 1, 1, offset);
    else if (!rule.dayMatches(at)) ms = startOfDay(at.year, at.month, at.day + 1, offset);
    else if (!rule.hours.has(at.hour)) ms += (60 - at.minute) * MINUTE_MS;
    else if (!rule.minutes.has(at.minute)) ms += MINUTE_MS;
    else return ms;
  }
}
