/** Times and durations of the API as people read them. */

interface Seconds {
  readonly seconds?: unknown;
  readonly nanos?: number | null;
}

/** Milliseconds of a protobuf Timestamp or Duration, whose seconds may be a number, a text or a Long; undefined when unset. */
export const toMs = (value: Seconds | null | undefined): number | undefined =>
  value === null || value === undefined ? undefined : Number(String(value.seconds ?? 0)) * 1_000 + (value.nanos ?? 0) / 1_000_000;

/** `2026-01-31T12:00:00.123Z` */
export const isoTime = (value: Seconds | null | undefined): string => {
  const ms = toMs(value);
  return ms === undefined ? '' : new Date(ms).toISOString();
};

/** `90 s`, `15 min`, `26 h`, `5 d`: the largest unit that keeps two digits. */
export const briefly = (ms: number): string => {
  const units: readonly (readonly [number, string])[] = [[172_800_000, 'd'], [7_200_000, 'h'], [120_000, 'min'], [1_000, 's']];
  const sizes: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, min: 60_000, s: 1_000 };
  const unit = units.find(([from]) => ms >= from)?.[1];
  return unit === undefined ? `${Math.round(ms)} ms` : `${Math.round(ms / (sizes[unit] ?? 1))} ${unit}`;
};

/** `5 min ago`, `in 2 h`. */
export const fromNow = (value: Seconds | null | undefined, nowMs = Date.now()): string => {
  const ms = toMs(value);
  if (ms === undefined) return '';
  return ms <= nowMs ? `${briefly(nowMs - ms)} ago` : `in ${briefly(ms - nowMs)}`;
};
