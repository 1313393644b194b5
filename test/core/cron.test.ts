import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CronError, cronBackoffMs, cronProblem, parseCron } from '../../server/core/cron.js';

const at = (text: string): number => Date.parse(text);
const next = (cron: string, after: string): string | undefined => {
  const ms = parseCron(cron).next(at(after));
  return ms === undefined ? undefined : new Date(ms).toISOString().replace('.000Z', 'Z');
};

test.each([
  ['* * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z'],
  ['* * * * *', '2026-01-01T00:00:59.999Z', '2026-01-01T00:01:00Z'],
  ['*/15 * * * *', '2026-01-01T00:46:00Z', '2026-01-01T01:00:00Z'],
  ['5/20 * * * *', '2026-01-01T00:26:00Z', '2026-01-01T00:45:00Z'],
  ['0 9-17/4 * * MON-FRI', '2026-01-02T17:00:00Z', '2026-01-05T09:00:00Z'],
  ['0 0 1 jan,Jul *', '2026-01-01T00:00:00Z', '2026-07-01T00:00:00Z'],
  ['30 4 1,15 * 5', '2026-01-01T05:00:00Z', '2026-01-02T04:30:00Z'],
  ['0 0 */2 * 1', '2026-01-05T00:00:00Z', '2026-01-07T00:00:00Z'],
  ['0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00Z'],
  ['0 0 31 * *', '2026-01-31T00:00:00Z', '2026-03-31T00:00:00Z'],
  ['? ? ? ? ?', '2026-12-31T23:59:00Z', '2027-01-01T00:00:00Z'],
  ['@hourly', '2026-01-01T00:30:00Z', '2026-01-01T01:00:00Z'],
  ['@daily', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
  ['@midnight', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
  ['@weekly', '2026-01-01T00:00:00Z', '2026-01-04T00:00:00Z'],
  ['@monthly', '2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'],
  ['@yearly', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'],
  ['@annually', '2026-06-01T00:00:00Z', '2027-01-01T00:00:00Z'],
  ['@every 90s', '2026-01-01T00:00:00.700Z', '2026-01-01T00:01:30Z'],
  ['@every 1ms', '2026-01-01T00:00:00.700Z', '2026-01-01T00:00:01Z'],
  ['CRON_TZ=Europe/Madrid 0 3 * * *', '2026-01-01T00:00:00Z', '2026-01-01T02:00:00Z'],
  ['TZ=Asia/Kolkata 30 9 * * *', '2026-01-01T00:00:00Z', '2026-01-01T04:00:00Z'],
  ['CRON_TZ=America/New_York @daily', '2026-01-01T12:00:00Z', '2026-01-02T05:00:00Z'],
])('%s after %s is due at %s', (cron, after, expected) => {
  expect(next(cron, after)).toBe(expected);
});

describe('summer time in Berlin (forward on 2026-03-29, back on 2026-10-25)', () => {
  test('a time that the clock skips is not due that day', () => {
    expect(next('TZ=Europe/Berlin 30 2 * * *', '2026-03-28T12:00:00Z')).toBe('2026-03-30T00:30:00Z');
  });
  test('an hour that comes twice is due twice', () => {
    const first = next('TZ=Europe/Berlin 30 2 * * *', '2026-10-24T12:00:00Z');
    expect(first).toBe('2026-10-25T00:30:00Z');
    expect(next('TZ=Europe/Berlin 30 2 * * *', String(first))).toBe('2026-10-25T01:30:00Z');
  });
  test('every hour stays every hour', () => {
    expect(next('TZ=Europe/Berlin 0 * * * *', '2026-03-29T00:30:00Z')).toBe('2026-03-29T01:00:00Z');
  });
});

test('a midnight that the clock skips does not lose the day', () => {
  // Beirut goes from 23:59 to 01:00 on 2026-03-29.
  expect(next('TZ=Asia/Beirut 0 6 29 3 *', '2026-03-20T00:00:00Z')).toBe('2026-03-29T03:00:00Z');
  expect(next('TZ=Asia/Beirut 0 1 * * *', '2026-03-28T12:00:00Z')).toBe('2026-03-28T22:00:00Z');
});

test.each([
  ['not a cron', 'expected 5 fields, got 3'],
  ['0 0 3 * * *', 'expected 5 fields, got 6'],
  ['', 'expected 5 fields, got 0'],
  ['60 * * * *', 'not within 0-59'],
  ['* * * * 7', 'not within 0-6'],
  ['* * 0 * *', 'not within 1-31'],
  ['a * * * *', 'the minute "a" is not a number'],
  ['-1 * * * *', 'the minute "" is not a number'],
  ['5-1 * * * *', 'begins after its end'],
  ['*/0 * * * *', 'a step of 0'],
  ['1-2-3 * * * *', 'more than one hyphen'],
  ['1/2/3 * * * *', 'more than one slash'],
  ['@fortnightly', '"@fortnightly" is not one of'],
  ['@every soon', 'not a duration'],
  ['CRON_TZ=Nowhere/City * * * * *', 'the time zone "Nowhere/City" is not known'],
  ['TZ=UTC', 'expected 5 fields, got 1'],
  [', * * * *', 'names no value'],
])('%s is refused: %s', (cron, reason) => {
  expect(() => parseCron(cron)).toThrow(CronError);
  expect(cronProblem(cron)).toContain(reason);
});

test('a day that never comes is refused', () => {
  expect(cronProblem('0 0 30 2 *')).toBe('invalid CronSchedule, no time can be found to satisfy the schedule');
  expect(cronProblem('0 0 29 2 *')).toBeUndefined();
});

describe('the wait before the next run', () => {
  const wait = (cron: string, scheduled: string, now: string) => cronBackoffMs(parseCron(cron), at(scheduled), at(now));
  test('is whole seconds, rounded up', () => {
    expect(wait('* * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:00:30.250Z')).toBe(30_000);
  });
  test('skips what was missed', () => {
    expect(wait('*/10 * * * *', '2026-01-01T00:00:00Z', '2026-01-03T00:05:00Z')).toBe(300_000);
    expect(wait('@every 10s', '2026-01-01T00:00:00Z', '2026-01-03T00:00:03Z')).toBe(7_000);
  });
  test('is nothing when the time is now, and reaches to a start in the future', () => {
    expect(wait('*/10 * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:10:00Z')).toBe(0);
    expect(wait('*/10 * * * *', '2026-01-01T00:00:05Z', '2026-01-01T00:00:00Z')).toBe(5_000);
  });
});

test('every time that is found matches its rule, and none between was skipped', () => {
  const field = (min: number, max: number) =>
    fc.oneof(
      fc.constant('*'),
      fc.integer({ min, max }).map(String),
      fc.integer({ min: 1, max: 20 }).map((step) => `*/${step}`),
    );
  const rule = fc.tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6));
  const accepts = (part: string, value: number, min: number): boolean =>
    part === '*' || (part.startsWith('*/') ? (value - min) % Number(part.slice(2)) === 0 : Number(part) === value);
  const matches = ([minute, hour, day, month, weekday]: string[], ms: number): boolean => {
    const date = new Date(ms);
    const [first, second] = [accepts(day!, date.getUTCDate(), 1), accepts(weekday!, date.getUTCDay(), 0)];
    const days = day === '*' || weekday === '*' || day === '*/1' || weekday === '*/1' ? first && second : first || second;
    return (
      accepts(minute!, date.getUTCMinutes(), 0) &&
      accepts(hour!, date.getUTCHours(), 0) &&
      days &&
      accepts(month!, date.getUTCMonth() + 1, 1)
    );
  };
  fc.assert(
    fc.property(rule, fc.integer({ min: at('2024-01-01T00:00:00Z'), max: at('2030-01-01T00:00:00Z') }), (parts, after) => {
      const found = parseCron(parts.join(' ')).next(after);
      if (found === undefined) return;
      expect(matches(parts, found)).toBe(true);
      const stop = Math.min(found, after + 3 * 24 * 3600_000);
      for (let ms = Math.floor(after / 60_000) * 60_000 + 60_000; ms < stop; ms += 60_000) expect(matches(parts, ms)).toBe(false);
    }),
    { numRuns: 60 },
  );
});

test('no text makes the parser throw anything but its own error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^(TZ=|CRON_TZ=|@every )?[0-9*?/,a-z -]{0,30}$/)), (text) => {
      cronProblem(text);
    }),
  );
});
