/** How the text of a setting becomes its value. By hand: a library of schemas is a hundred files that every start would load to read thirty texts. */

/** As a user gives it: one text, or the list of a flag that may be repeated. */
export type Raw = string | readonly string[];

/** A value, or undefined when the text is none. In a box, because a value may be undefined too. */
export type Reader<Value> = (raw: Raw) => { readonly value: Value } | undefined;

/** A reader of one text, without the spaces around it; what `read` throws away is no value. */
const text =
  <Value>(read: (text: string) => { readonly value: Value } | undefined): Reader<Value> =>
  (raw) =>
    typeof raw === 'string' ? read(raw.trim()) : undefined;

const boxed = <Value>(value: Value, usable: boolean): { readonly value: Value } | undefined => (usable ? { value } : undefined);

/** A text that fulfils a condition. */
export const textThat = (fulfils: (text: string) => boolean): Reader<string> => text((given) => boxed(given, fulfils(given)));

/** Only digits, and between those two. */
export const wholeNumber = (from: number, to: number): Reader<number> => text((given) => boxed(Number(given), /^\d+$/.test(given) && Number(given) >= from && Number(given) <= to));

/** A number and its unit, in units of one. */
const measure = (units: Readonly<Record<string, number>>, from: number): Reader<number> =>
  text((given) => {
    const [, amount, unit] = /^(\d+)([A-Za-z]+)$/.exec(given) ?? [];
    if (amount === undefined || unit === undefined || !Object.hasOwn(units, unit)) return undefined;
    const value = Number(amount) * units[unit]!;
    return boxed(value, value >= from);
  });

/** `500ms`, `10s`, `5m`, `1h`, `3d`, to milliseconds. */
export const duration = (fromMs: number): Reader<number> => measure({ ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }, fromMs);

/** `512KiB`, `64MiB`, `2GiB`, to bytes. */
export const size = (fromBytes: number): Reader<number> => measure({ KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }, fromBytes);

/** A point in time with its zone, such as `2027-01-04T09:00:00Z`, to milliseconds since 1970. */
export const time: Reader<number> = text((given) => {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/.exec(given)?.map(Number) ?? [];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const value = Date.parse(given);
  // the 30th of February would be taken for one of the first of March
  return boxed(value, !Number.isNaN(value) && new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day);
});

/** Words, in any case, and what each means. */
export const oneOf = <Value>(words: Readonly<Record<string, Value>>): Reader<Value> =>
  text((given) => {
    const word = given.toLowerCase();
    return Object.hasOwn(words, word) ? { value: words[word] as Value } : undefined;
  });

/** That one word with a meaning of its own, or what the other reader makes of it. */
export const wordOr =
  <Meaning, Value>(word: string, meaning: () => Meaning, other: Reader<Value>): Reader<Meaning | Value> =>
  (raw) =>
    raw === word ? { value: meaning() } : other(raw);

/** A repeated flag comes as a list, an environment variable as one text that `separator` takes apart. */
const itemsOf = (raw: Raw, separator: RegExp): string[] => (typeof raw === 'string' ? raw.split(separator) : [...raw]).map((item) => item.trim()).filter((item) => item !== '');

/** Items that all fulfil a condition. */
export const list =
  (fulfils: (item: string) => boolean): Reader<string[]> =>
  (raw) => {
    const items = itemsOf(raw, /,/);
    return boxed(items, items.every(fulfils));
  };

/** `Key=value` items as a record; anything that `read` cannot read makes the whole setting bad. */
export const pairs =
  <Value>(read: (text: string) => Value | undefined): Reader<Record<string, Value>> =>
  (raw) => {
    const record: Record<string, Value> = {};
    for (const item of itemsOf(raw, /,(?=[A-Za-z_][\w.-]*=)/)) {
      const at = item.indexOf('=');
      const value = at > 0 ? read(item.slice(at + 1).trim()) : undefined;
      if (value === undefined) return undefined;
      record[item.slice(0, at).trim()] = value;
    }
    return { value: record };
  };
