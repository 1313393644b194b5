/** How the text of a setting becomes its value: the schemas that settings.ts is made of. */
import * as z from 'zod';

/** From what a user gives, one text or the list of a flag that may be repeated, to the value. */
export type Schema<Value> = z.ZodType<Value, unknown>;
export type ValueOf<S> = S extends z.ZodType<infer Value, unknown> ? Value : never;

/** A text without the spaces around it that fulfils a condition. */
export const textThat = (fulfils: (text: string) => boolean) => z.string().trim().refine(fulfils);

/** Only digits, and between those two. */
export const wholeNumber = (from: number, to: number) => z.string().trim().regex(/^\d+$/).transform(Number).pipe(z.number().int().min(from).max(to));

/** A number and its unit, in units of one. */
const measure = (units: Readonly<Record<string, number>>, from: number) =>
  z
    .string()
    .trim()
    .regex(new RegExp(`^\\d+(${Object.keys(units).join('|')})$`))
    .transform((text) => Number.parseInt(text, 10) * units[text.replace(/^\d+/, '')]!)
    .pipe(z.number().min(from));

/** `500ms`, `10s`, `5m`, `1h`, `3d`, to milliseconds. */
export const duration = (fromMs: number) => measure({ ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }, fromMs);

/** `512KiB`, `64MiB`, `2GiB`, to bytes. */
export const size = (fromBytes: number) => measure({ KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }, fromBytes);

/** A point in time with its zone, such as `2027-01-04T09:00:00Z`, to milliseconds since 1970. */
export const time = z.string().trim().pipe(z.iso.datetime({ offset: true })).transform((text) => Date.parse(text));

/** Words, in any case, and what each means. */
export const oneOf = <Value>(words: Readonly<Record<string, Value>>) =>
  z
    .string()
    .trim()
    .toLowerCase()
    .refine((word) => Object.hasOwn(words, word))
    .transform((word) => words[word] as Value);

/** A text that is JSON. */
export const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'no JSON' });
    return z.NEVER;
  }
});

/** That one word with a meaning of its own, or what the other schema makes of it. */
export const wordOr = <Meaning, Value>(word: string, meaning: () => Meaning, other: Schema<Value>) => z.union([z.literal(word).transform(meaning), other]);

/** A repeated flag comes as a list, an environment variable as one text that `separator` takes apart. */
const itemsBetween = (separator: RegExp) =>
  z.union([z.array(z.string()), z.string().transform((text) => text.split(separator))]).transform((items) => items.map((item) => item.trim()).filter((item) => item !== ''));

/** Items that all fulfil a condition. */
export const list = (fulfils: (item: string) => boolean) => itemsBetween(/,/).pipe(z.array(z.string().refine(fulfils)));

/** `Key=value` items as a record; a value that the schema does not take makes the whole setting bad. */
export const pairs = <Value>(schema: Schema<Value>) =>
  itemsBetween(/,(?=[A-Za-z_][\w.-]*=)/).transform((items, context) => {
    const record: Record<string, Value> = {};
    for (const item of items) {
      const at = item.indexOf('=');
      const read = at > 0 ? schema.safeParse(item.slice(at + 1).trim()) : undefined;
      if (read?.success) record[item.slice(0, at).trim()] = read.data;
      else context.addIssue({ code: 'custom', message: item });
    }
    return record;
  });
