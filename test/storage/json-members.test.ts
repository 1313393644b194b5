/** JSON that is written by hand is what the language itself would write. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jsonOf, members, objectOf } from '../../server/storage/json-members.js';

it('is the text that JSON.stringify gives, whatever the value', () => {
  const value = fc.anything({ values: [fc.string({ unit: 'binary' }), fc.string(), fc.double(), fc.integer(), fc.boolean(), fc.constant(null), fc.constant(undefined)], withNullPrototype: true, maxDepth: 4 });
  fc.assert(
    fc.property(value, (v) => {
      const whole = { v };
      expect(jsonOf(whole)).toBe(JSON.stringify(whole));
    }),
    { numRuns: 2_000 },
  );
});

it('holds byte strings as base64, wherever they are', () => {
  const bytes = Buffer.from([0, 1, 254]).subarray(1);
  expect(JSON.parse(jsonOf({ a: [bytes, { b: new Uint8Array() }] }))).toEqual({ a: [{ $b: 'Af4=' }, { b: { $b: '' } }] });
});

it('leaves out what is blank or written elsewhere, and nothing that differs', () => {
  const blank = { name: '', count: 1, list: [], record: {}, none: null };
  const value = { name: 'ä"', count: 0, list: [], record: { x: [] }, none: undefined, more: true, elsewhere: 3 };
  expect(JSON.parse(objectOf(members(value, blank, new Set(['elsewhere']))))).toEqual({ name: 'ä"', count: 0, record: { x: [] }, more: true });
  expect(objectOf(members({ ...blank, list: [], record: {} }, blank, new Set()))).toBe('{}');
});
