/** Events written one after the other are a History, whatever their sizes; buffers that are used again do not show through. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { api, type HistoryEvent, int64 } from '../../server/core/api.js';
import { bytesOf, passingBytesOf } from '../../server/core/encode.js';
import { HistoryWriter } from '../../server/core/history-writer.js';

const { History, HistoryEvent: EventCodec } = api.history.v1;

const eventOf = (id: number, bytes: number): HistoryEvent =>
  EventCodec.create({
    eventId: int64(id),
    workflowExecutionSignaledEventAttributes: { input: { payloads: [{ data: Buffer.alloc(bytes, id) }] } },
  });

it('is the encoding of all of them', () => {
  const size = fc.oneof(fc.nat(50), fc.nat(2_000), fc.integer({ min: 100_000, max: 400_000 }));
  fc.assert(
    fc.property(fc.array(size, { minLength: 1, maxLength: 8 }), (sizes) => {
      const events = sizes.map((bytes, i) => eventOf(i + 1, bytes));
      const writer = new HistoryWriter();
      for (const event of events) expect(writer.add(event)).toBe(EventCodec.encode(event).finish().length);
      const other = new HistoryWriter();
      other.add(eventOf(99, 5_000));
      expect(writer.finish()!.equals(History.encode({ events }).finish())).toBe(true);
    }),
    { numRuns: 50 },
  );
});

it('is nothing without events', () => {
  expect(new HistoryWriter().finish()).toBeUndefined();
});

it('keeps no more memory than a quarter beside what was written', () => {
  for (const sizes of [[10], [600], [3_000, 3_000], [100_000], [20, 500_000, 20]]) {
    const writer = new HistoryWriter();
    for (const [i, bytes] of sizes.entries()) writer.add(eventOf(i + 1, bytes));
    const written = writer.finish()!;
    // small ones lie in the blocks that Node gives to several
    if (written.buffer.byteLength > Buffer.poolSize) expect(written.buffer.byteLength).toBeLessThanOrEqual(written.length * 1.25);
  }
});

it('a message that cannot be encoded leaves nothing behind in the next', () => {
  const event = eventOf(7, 40);
  const unreadable = Object.defineProperty({}, 'data', {
    enumerable: true,
    get: () => {
      throw new TypeError('not to be read');
    },
  });
  expect(() => bytesOf(api.common.v1.Payloads, { payloads: [{ data: Buffer.from('lost') }, unreadable] })).toThrow('not to be read');
  expect(bytesOf(EventCodec, event).equals(EventCodec.encode(event).finish())).toBe(true);
});

it('bytes of their own stay what they are, passing ones do not', () => {
  const own = bytesOf(EventCodec, eventOf(1, 40));
  const passing = passingBytesOf(EventCodec, eventOf(1, 40));
  expect(passing.equals(own)).toBe(true);
  passingBytesOf(EventCodec, eventOf(2, 40));
  expect(EventCodec.decode(own).eventId).toMatchObject({ low: 1 });
  expect(passing.equals(own)).toBe(false);
});
