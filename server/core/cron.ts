/**
 * Cron schedules in the dialect that users of the open API write: five fields (minute, hour, day of month, month, day of week),
 * `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`, `@every 90m`, and in front of any of them
 * `CRON_TZ=Europe/Madrid` or `TZ=…` (UTC without it). When both days are restricted, either may match.
 */
import { isKnownZone, nextMatch, type WallClock, zoneOf } from './cron-time.js';
import { parseGoDuration } from './go-duration.js';

/** When a schedule is due. */
export interface CronSchedule {
  /** The first time after that one, in milliseconds since the epoch; undefined when none comes within five years. */
  next(afterMs: number): number | undefined;
  /** Of `@every`: the time between two runs, counted from the last and not from the clock on the wall. */
  readonly everyMs?: number;
}

/** What is wrong with a schedule, in words. */
export class CronError extends Error {
  override readonly name = 'CronError';
}

interface Bounds {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MONTHS = ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const FIELDS: readonly [Bounds, Bounds, Bounds, Bounds, Bounds] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: MONTHS },
  { name: 'day of week', min: 0, max: 6, names: DAYS },
];

const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** The values of one field; `any` when it does not restrict. */
interface Field {
  readonly values: ReadonlySet<number>;
  readonly any: boolean;
}

function parseNumber(text: string, { name, names }: Bounds): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0 && text !== '') return named;
  if (!/^\+?\d{1,9}$/.test(text)) throw new CronError(`the ${name} "${text}" is not a number`);
  return Number(text);
}

/** One part of a field: a star, a value or a range, with an optional step. */
function parsePart(part: string, bounds: Bounds): { from: number; to: number; step: number; any: boolean } {
  const { name, min, max } = bounds;
  const [range = '', stepText, ...moreSteps] = part.split('/');
  const [low = '', high, ...moreHyphens] = range.split('-');
  if (moreSteps.length > 0) throw new CronError(`the ${name} "${part}" has more than one slash`);
  if (moreHyphens.length > 0) throw new CronError(`the ${name} "${part}" has more than one hyphen`);
  const star = low === '*' || low === '?';
  const from = star ? min : parseNumber(low, bounds);
  const step = stepText === undefined ? 1 : parseNumber(stepText, { name: `step of the ${name}`, min: 1, max });
  let to = star ? max : high === undefined ? from : parseNumber(high, bounds);
  // "5/15" runs on to the end of the field.
  if (!star && high === undefined && stepText !== undefined) to = max;
  if (from < min || to > max) throw new CronError(`the ${name} "${part}" is not within ${min}-${max}`);
  if (from > to) throw new CronError(`the ${name} "${part}" begins after its end`);
  if (step === 0) throw new CronError(`the ${name} "${part}" has a step of 0`);
  return { from, to, step, any: star && step === 1 };
}

function parseField(text: string, bounds: Bounds): Field {
  const values = new Set<number>();
  let any = false;
  for (const part of text.split(',').filter((each) => each !== '')) {
    const parsed = parsePart(part, bounds);
    for (let value = parsed.from; value <= parsed.to; value += parsed.step) values.add(value);
    any ||= parsed.any;
  }
  if (values.size === 0) throw new CronError(`the ${bounds.name} "${text}" names no value`);
  return { values, any };
}

function parseEvery(text: string): CronSchedule {
  const parsed = parseGoDuration(text);
  if (parsed === undefined) throw new CronError(`"${text}" after @every is not a duration such as 90s or 1h30m`);
  const delayMs = Math.max(1000, Math.trunc(parsed / 1000) * 1000);
  return { everyMs: delayMs, next: (afterMs) => Math.floor(afterMs / 1000) * 1000 + delayMs };
}

function parseFields(text: string, zone: string): CronSchedule {
  const texts = text.split(/\s+/).filter((each) => each !== '');
  if (texts.length !== FIELDS.length) throw new CronError(`expected ${FIELDS.length} fields, got ${texts.length}`);
  const field = (index: 0 | 1 | 2 | 3 | 4): Field => parseField(texts[index] ?? '', FIELDS[index]);
  const [minute, hour, day, month, weekday] = [field(0), field(1), field(2), field(3), field(4)];
  const dayMatches = ({ day: dayOfMonth, weekday: dayOfWeek }: WallClock): boolean => {
    const [first, second] = [day.values.has(dayOfMonth), weekday.values.has(dayOfWeek)];
    return day.any || weekday.any ? first && second : first || second;
  };
  const rule = { minutes: minute.values, hours: hour.values, months: month.values, dayMatches };
  const wallClock = zoneOf(zone);
  return { next: (afterMs) => nextMatch(rule, wallClock, afterMs) };
}

/** Reads a schedule. Throws CronError with what is wrong. */
export function parseCron(text: string): CronSchedule {
  let rest = text;
  let zone = 'UTC';
  const prefix = /^(?:CRON_)?TZ=(\S*)\s+/.exec(text);
  if (prefix) {
    zone = prefix[1] || 'UTC';
    rest = text.slice(prefix[0].length);
    if (!isKnownZone(zone)) throw new CronError(`the time zone "${zone}" is not known`);
  }
  rest = rest.trimEnd();
  if (rest.startsWith('@every ')) return parseEvery(rest.slice('@every '.length).trim());
  if (!rest.startsWith('@')) return parseFields(rest, zone);
  const fields = DESCRIPTORS[rest];
  if (fields === undefined) throw new CronError(`"${rest}" is not one of ${Object.keys(DESCRIPTORS).join(', ')}, @every <duration>`);
  return parseFields(fields, zone);
}

/** Some day before a 29th of February: from here every schedule that is ever due is due within five years. */
const REFERENCE_MS = Date.UTC(2024, 0, 1);

/** What is wrong with a schedule that a user gave, or undefined. */
export function cronProblem(text: string): string | undefined {
  try {
    if (parseCron(text).next(REFERENCE_MS) === undefined) return 'invalid CronSchedule, no time can be found to satisfy the schedule';
    return undefined;
  } catch (error) {
    if (error instanceof CronError) return `invalid CronSchedule "${text}": ${error.message}`;
    throw error;
  }
}

/**
 * How long a cron run waits after one that was due at `scheduledMs`, in whole seconds (as milliseconds): until the first time that is
 * after that one and not before now. Undefined when the schedule is never due again.
 */
export function cronBackoffMs(schedule: CronSchedule, scheduledMs: number, nowMs: number): number | undefined {
  if (nowMs < scheduledMs) return wholeSeconds(scheduledMs - nowMs);
  let next = schedule.next(scheduledMs);
  if (next !== undefined && next < nowMs) {
    const { everyMs } = schedule;
    next = everyMs ? next + Math.ceil((nowMs - next) / everyMs) * everyMs : schedule.next(nowMs - 1);
  }
  return next === undefined ? undefined : wholeSeconds(next - nowMs);
}

const wholeSeconds = (ms: number): number => Math.ceil(ms / 1000) * 1000;
