/** The API's enums as words: `ALLOW_DUPLICATE` for WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE = 1, and back. */
import { ValueError } from './errors.js';

type Encode<Name extends string, Prefix extends string> = (
  input: Name | `${Prefix}${Name}` | number | null | undefined,
) => number | undefined;
type Decode<Name extends string> = (input: number | null | undefined) => Name | undefined;

/**
 * Encoder and decoder of one enum. The encoder takes the word, the word with its prefix, or the number; both pass
 * null and undefined through as undefined, and the decoder an unspecified (0) or unknown value too.
 */
export function enumNames<const Values extends Readonly<Record<string, number>>, const Prefix extends string>(
  values: Values,
  prefix: Prefix,
): [Encode<keyof Values & string, Prefix>, Decode<keyof Values & string>] {
  const byNumber = new Map(Object.entries(values).map(([name, number]) => [number, name as keyof Values & string]));
  const encode: Encode<keyof Values & string, Prefix> = (input) => {
    if (input === null || input === undefined) return undefined;
    if (typeof input === 'number') return input;
    const number = values[input.startsWith(prefix) ? input.slice(prefix.length) : input];
    if (number === undefined) throw new ValueError(`Invalid enum value: expected one of ${Object.keys(values).join(', ')}, got '${input}'`);
    return number;
  };
  return [encode, (input) => (input === null || input === undefined ? undefined : byNumber.get(input))];
}
