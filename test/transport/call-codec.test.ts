/** The messages of the stream of calls, written by hand, are those that its .proto file declares. */
import { fileURLToPath } from 'node:url';
import type { MethodDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeCallBatch, encodeReplyBatch } from '../../server/transport/grpc/call-codec.js';

const PROTO = fileURLToPath(new URL('../../proto/perdure/v1/calls.proto', import.meta.url));
const service = loadSync(PROTO, { defaults: true, arrays: true })['perdure.v1.CallService'] as unknown as Record<
  string,
  MethodDefinition<object, object>
>;
const { requestSerialize, responseDeserialize } = service.Open!;

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const bytes = fc
  .tuple(fc.constantFrom(0, 1, 127, 128, 300, 16_383, 16_384, 16_400), fc.nat(255))
  .map(([length, fill]) => Buffer.alloc(length, fill));

/** Byte strings as text, which is compared at once. */
const shown = (value: unknown): string =>
  JSON.stringify(value, (_key, field: unknown) => (field instanceof Uint8Array ? Buffer.from(field).toString('latin1') : field));

it('reads batches of calls as they are declared', () => {
  const call = fc.record({ id: uint32, method: fc.string({ unit: 'grapheme' }), request: bytes, timeoutMs: uint32 });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 5 }), fc.array(uint32, { maxLength: 5 }), (calls, cancelled) => {
      expect(shown(decodeCallBatch(requestSerialize({ calls, cancelled })))).toBe(shown({ calls, cancelled }));
    }),
  );
});

it('passes by what later clients may add, and refuses what is cut short', () => {
  const whole = requestSerialize({
    calls: [{ id: 7, method: 'GetSystemInfo', request: Buffer.from([1, 2]), timeoutMs: 9 }],
    cancelled: [3],
  });
  const unknown = Buffer.from([0x9a, 0x06, 2, 1, 1, 0xa0, 0x06, 5]); // fields 99 and 100
  expect(decodeCallBatch(Buffer.concat([whole, unknown]))).toEqual(decodeCallBatch(whole));
  expect(decodeCallBatch(Buffer.from([0x10, 5]))).toEqual({ calls: [], cancelled: [5] }); // not packed
  expect(() => decodeCallBatch(whole.subarray(0, 12))).toThrow(RangeError);
  expect(() => decodeCallBatch(Buffer.from([0x0a, 3, 0x12, 200]))).toThrow(RangeError);
});

/** A response comes in parts. */
const halves = (whole: Uint8Array): Uint8Array[] => [whole.subarray(0, whole.length >> 1), whole.subarray(whole.length >> 1)];

it('writes batches of replies as they are declared', () => {
  const reply = fc.record({ id: uint32, code: fc.nat(16), message: fc.string({ unit: 'grapheme' }), details: bytes, response: bytes });
  fc.assert(
    fc.property(fc.array(reply, { maxLength: 5 }), (replies) => {
      expect(shown(responseDeserialize(encodeReplyBatch(replies.map((reply) => ({ ...reply, response: halves(reply.response) })))))).toBe(
        shown({ replies }),
      );
    }),
  );
  expect(responseDeserialize(encodeReplyBatch([{ id: 1, code: 0 }]))).toMatchObject({ replies: [{ id: 1, code: 0, message: '' }] });
});
