import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FAILURE_TOO_LARGE, storableFailure, truncateFailure, truncateText } from '../../server/core/failure.js';
import { failureSize } from '../../server/core/validate/payload-size.js';

test('a text is cut between characters', () => {
  expect(truncateText('añb', 3)).toBe('añ');
  expect(truncateText('añb', 2)).toBe('a');
  expect(truncateText('😀', 3)).toBe('');
  expect(truncateText('short', 100)).toBe('short');
});

test('a cut text is a beginning of it, of at most so many bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, bytes) => {
      const cut = truncateText(text, bytes);
      expect(text.startsWith(cut)).toBe(true);
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(bytes);
    }),
  );
});

test('what says whether to retry is kept, then source, message, stack and cause as far as they fit', () => {
  const failure = {
    message: 'm'.repeat(50),
    source: 'SDK',
    stackTrace: 's'.repeat(1000),
    applicationFailureInfo: { type: 'Boom', nonRetryable: true, details: { payloads: [{ data: Buffer.alloc(1000) }] } },
    cause: { message: 'cause' },
  };
  const short = truncateFailure(failure, 200);
  expect(short).toMatchObject({ source: 'SDK', message: 'm'.repeat(50), applicationFailureInfo: { type: 'Boom', nonRetryable: true } });
  expect(short.applicationFailureInfo?.details).toBeUndefined();
  expect(short.stackTrace?.length).toBeGreaterThan(50);
  expect(failureSize(short)).toBeLessThan(260);
});

test('a failure that is too large becomes a final one with its beginning as the cause', () => {
  const failure = {
    message: 'x',
    source: 'sdk',
    applicationFailureInfo: { type: 'Boom', details: { payloads: [{ data: Buffer.alloc(5000) }] } },
  };
  const limits = { sizeMax: 4000, truncatedSizeMax: 1000 };
  expect(storableFailure(failure, limits)).toEqual({
    message: FAILURE_TOO_LARGE,
    serverFailureInfo: { nonRetryable: true },
    cause: { message: 'x', source: 'sdk', stackTrace: '', applicationFailureInfo: { type: 'Boom', nonRetryable: undefined } },
  });
  expect(storableFailure({ message: 'x' }, limits)).toEqual({ message: 'x' });
});

test('causes are cut at a depth, so that no chain is too deep to read', () => {
  let failure: { message: string; cause?: object } = { message: 'end' };
  for (let i = 0; i < 100; i++) failure = { message: String(i), cause: failure };
  let depth = 0;
  for (
    let each: typeof failure | undefined = truncateFailure(failure, 1_000_000) as typeof failure;
    each;
    each = each.cause as typeof failure
  )
    depth++;
  expect(depth).toBe(21);
});
