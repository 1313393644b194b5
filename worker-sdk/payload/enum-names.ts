// Between the API's enum numbers and the short names that TypeScript code uses for them.

/** Both directions of one enum. Names may also be given with the API's prefix (`RETRY_STATE_TIMEOUT`). */
export interface EnumNames<Name extends string> {
  encode(input: Name | `${string}${Name}` | number | null | undefined): number | undefined;
  decode(input: number | null | undefined): Name | undefined;
}

/** Builds the converters for an enum; 0 is "unspecified" in the API and reads as `undefined`. */
export function enumNames<Name extends string>(numbers: Readonly<Record<Name, number>>, prefix = ''): EnumNames<Name> {
  const names = new Map<number, Name>();
  for (const [name, number] of Object.entries(numbers) as [Name, number][]) names.set(number, name);
  return {
    encode(input) {
      if (input === null || input === undefined) return undefined;
      if (typeof input === 'number') return input;
      const short = prefix && input.startsWith(prefix) ? input.slice(prefix.length) : input;
      if (short === 'UNSPECIFIED') return 0;
      const number = (numbers as Record<string, number>)[short];
      if (number === undefined) throw new TypeError(`Expected one of ${Object.keys(numbers).join(', ')}, got '${input}'`);
      return number;
    },
    decode(input) {
      return input === null || input === undefined ? undefined : names.get(input);
    },
  };
}
