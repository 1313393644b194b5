// Codecs see payloads as Node code makes them, also those that come out of the sandbox.
import { createContext, runInContext } from 'node:vm';
import { expect, test } from 'vitest';
import { decodeWithCodecs, encodeWithCodecs, type PayloadCodec } from '../../../worker-sdk/payload/codec.js';
import type { Payload } from '../../../worker-sdk/definitions/api.js';

const tag = (name: string, seen: Payload[][] = []): PayloadCodec => ({
  encode: (payloads) => {
    seen.push(payloads);
    return Promise.resolve(payloads.map(({ data, metadata }) => ({ metadata, data: Buffer.from(`${name}(${Buffer.from(data!).toString()})`) })));
  },
  decode: (payloads) =>
    Promise.resolve(payloads.map(({ data, metadata }) => ({ metadata, data: Buffer.from(Buffer.from(data!).toString().slice(name.length + 1, -1)) }))),
});

test('in their order out, in the opposite order in', async () => {
  const codecs = [tag('a'), tag('b')];
  const encoded = await encodeWithCodecs(codecs, [{ data: Buffer.from('x') }]);
  expect(Buffer.from(encoded[0]!.data!).toString()).toBe('b(a(x))');
  const decoded = await decodeWithCodecs(codecs, encoded);
  expect(Buffer.from(decoded[0]!.data!).toString()).toBe('x');
});

test('bytes of the sandbox become bytes of this realm', async () => {
  const foreign = runInContext(`({ metadata: { encoding: new Uint8Array([1, 2]) }, data: new Uint8Array([104, 105]) })`, createContext({})) as Payload;
  expect(foreign.data).not.toBeInstanceOf(Uint8Array);
  const seen: Payload[][] = [];
  await encodeWithCodecs([tag('a', seen)], [foreign]);
  const [payload] = seen[0]!;
  expect(payload!.data).toBeInstanceOf(Uint8Array);
  expect(payload!.metadata!.encoding).toBeInstanceOf(Uint8Array);
  expect(Object.getPrototypeOf(payload)).toBe(Object.prototype);
  expect([...payload!.data!]).toEqual([104, 105]);
});
