// The default converter, beside the official one: the same payloads out, the same values in.
import * as official from '@temporalio/common';
import { ProtobufBinaryPayloadConverter as TheirBinary, ProtobufJsonPayloadConverter as TheirJson } from '@temporalio/common/lib/protobufs.js';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { defaultPayloadConverter as ours } from '../../../worker-sdk/payload/payload-converter.js';
import { patchProtobufRoot, ProtobufBinaryPayloadConverter, ProtobufJsonPayloadConverter } from '../../../worker-sdk/payload/protobuf-payload-converters.js';
import type { Payload } from '../../../worker-sdk/definitions/api.js';

const { parse, Root } = protobuf;
const { defaultPayloadConverter: theirs } = official;
const plain = (payload: Payload | undefined) =>
  payload && {
    metadata: Object.fromEntries(Object.entries(payload.metadata ?? {}).map(([key, value]) => [key, Buffer.from(value).toString()])),
    data: payload.data ? Buffer.from(payload.data).toString('latin1') : payload.data,
  };

const cycle: { self?: unknown } = {};
cycle.self = cycle;

describe('values', () => {
  test.each([
    ['undefined', undefined],
    ['null', null],
    ['text', 'héllo \u2028 \ud83d\ude00'],
    ['number', -1.5e300],
    ['boolean', false],
    ['object', { a: [1, { b: null }], c: undefined, date: new Date(0) }],
    ['list with holes', [undefined, () => 1, 2]],
    ['bytes', new Uint8Array([0, 255, 7])],
    ['buffer', Buffer.from('abc')],
    ['toJSON', { toJSON: (): string => 'made' }],
    ['NaN', Number.NaN],
    ['empty text', ''],
  ])('%s', (_name, value) => {
    const payload = ours.toPayload(value);
    expect(plain(payload as Payload)).toEqual(plain(theirs.toPayload(value) as Payload));
    expect(ours.fromPayload(theirs.toPayload(value) as Payload)).toEqual(theirs.fromPayload(payload as never));
  });

  test.each([
    ['a big integer', 10n],
    ['a cycle', cycle],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
  ])('%s cannot be converted, and the error says what it was', (_name, value) => {
    expect(() => ours.toPayload(value)).toThrow(/Unable to convert an? (bigint \(.*BigInt\)|object .* \(.*circular.*\)|function|symbol) to a payload/);
  });
});

describe('payloads', () => {
  test.each([
    ['no encoding', { data: Buffer.from('1') }],
    ['unknown encoding', { metadata: { encoding: Buffer.from('x/y') }, data: Buffer.from('1') }],
    ['broken JSON', { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{') }],
    ['no data', { metadata: { encoding: Buffer.from('json/plain') } }],
  ])('%s is refused as the official converter refuses it', (_name, payload) => {
    expect(() => theirs.fromPayload(payload)).toThrow();
    expect(() => ours.fromPayload(payload)).toThrow();
  });
});

describe('protobuf messages', () => {
  const root = parse(
    `syntax = "proto3"; package shop; enum Kind { NONE = 0; BIG = 1; }
     message Order { string id = 1; int64 amount = 2; bytes raw = 3; Kind kind = 4; repeated Order parts = 5; map<string, string> notes = 6; }`,
    new Root(),
  ).root;
  const Order = root.lookupType('shop.Order');
  const message = Order.create({ id: 'o', amount: 7, raw: Buffer.from([1, 2]), kind: 1, parts: [Order.create({ id: 'p' })], notes: { a: 'b' } });

  test.each([
    ['binary/protobuf', new ProtobufBinaryPayloadConverter(root), new TheirBinary(root)],
    ['json/protobuf', new ProtobufJsonPayloadConverter(root), new TheirJson(root)],
  ])('%s', (encoding, our, their) => {
    const payload = our.toPayload(message)!;
    expect(plain(payload)!.metadata).toEqual({ encoding, messageType: 'shop.Order' });
    const reference = their.toPayload(message) as Payload;
    if (encoding === 'json/protobuf') expect(JSON.parse(plain(payload)!.data as string)).toEqual(JSON.parse(plain(reference)!.data as string));
    else expect(plain(payload)).toEqual(plain(reference));
    const read = Order.toObject(our.fromPayload(reference), { longs: String, bytes: String, enums: String });
    expect(read).toEqual({ id: 'o', amount: '7', raw: 'AQI=', kind: 'BIG', parts: [{ id: 'p' }], notes: { a: 'b' } });
    expect(our.toPayload({ id: 'o' })).toBeUndefined();
  });

  test('types of a generated root are reachable by their names', () => {
    const patched = patchProtobufRoot(Root.fromJSON(root.toJSON()) as unknown as Record<string, unknown>) as unknown as { shop: { Order: typeof Order } };
    expect(patched.shop.Order.create({ id: 'x' })).toMatchObject({ id: 'x' });
    expect(new ProtobufBinaryPayloadConverter(patched).toPayload(patched.shop.Order.create({ id: 'x' }))?.metadata).toHaveProperty('messageType');
  });

  test('what is missing is said', () => {
    const payload = new ProtobufBinaryPayloadConverter(root).toPayload(message)!;
    expect(() => new ProtobufBinaryPayloadConverter().fromPayload(payload)).toThrow(/root/);
    expect(() => new ProtobufBinaryPayloadConverter(new Root()).fromPayload(payload)).toThrow(/shop\.Order/);
    expect(() => new ProtobufBinaryPayloadConverter({})).toThrow(/Root/);
  });
});
