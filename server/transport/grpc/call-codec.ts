/**
 * The messages of perdure.v1.CallService (proto/perdure/v1/calls.proto), read and written by hand: they wrap every call, so they must cost next to
 * nothing. What the library generates makes two objects of each message and copies each answer twice.
 */
import protobuf from 'protobufjs';
import { varintBytes, writeVarint } from '../../core/varint.js';

/** A call on its way up. */
export interface CallMessage {
  id: number;
  method: string;
  request: Buffer;
  timeoutMs: number;
}

export interface CallBatch {
  calls: CallMessage[];
  /** Calls that nobody waits for any more. */
  cancelled: number[];
}

/** A reply on its way down. */
export interface ReplyMessage {
  id: number;
  code: number;
  message?: string;
  details?: Uint8Array;
  /** In parts, which are joined when the reply is written. */
  response?: readonly Uint8Array[];
}

const VARINT = 0;
const BYTES = 2;
const tag = (field: number, type: number): number => (field << 3) | type;
const BATCH = { calls: tag(1, BYTES), cancelled: tag(2, VARINT), cancelledPacked: tag(2, BYTES) };
const CALL = { id: tag(1, VARINT), method: tag(2, BYTES), request: tag(3, BYTES), timeoutMs: tag(4, VARINT) };
const REPLIES = tag(1, BYTES);
const REPLY = { id: tag(1, VARINT), code: tag(2, VARINT), message: tag(3, BYTES), details: tag(4, BYTES), response: tag(5, BYTES) };
const NO_BYTES = Buffer.alloc(0);

/** Bytes -> CallBatch. Throws when they are none. */
export function decodeCallBatch(bytes: Uint8Array): CallBatch {
  const reader = protobuf.Reader.create(bytes);
  const batch: CallBatch = { calls: [], cancelled: [] };
  while (reader.pos < reader.len) {
    const at = reader.uint32();
    if (at === BATCH.calls) batch.calls.push(decodeCall(reader));
    else if (at === BATCH.cancelled) batch.cancelled.push(reader.uint32());
    else if (at === BATCH.cancelledPacked) {
      const end = reader.uint32() + reader.pos;
      while (reader.pos < end) batch.cancelled.push(reader.uint32());
    } else reader.skipType(at & 7);
  }
  return batch;
}

function decodeCall(reader: protobuf.Reader): CallMessage {
  const call: CallMessage = { id: 0, method: '', request: NO_BYTES, timeoutMs: 0 };
  const end = reader.uint32() + reader.pos;
  while (reader.pos < end) {
    const at = reader.uint32();
    if (at === CALL.id) call.id = reader.uint32();
    else if (at === CALL.method) call.method = reader.string();
    else if (at === CALL.request) call.request = reader.bytes() as Buffer;
    else if (at === CALL.timeoutMs) call.timeoutMs = reader.uint32();
    else reader.skipType(at & 7);
  }
  if (reader.pos > end) throw new RangeError('A call is longer than it says.');
  return call;
}

/** Of a reply's response. */
export function responseBytes({ response }: ReplyMessage): number {
  let length = 0;
  if (response) for (const part of response) length += part.length;
  return length;
}

/** Of a field that is left out when it is empty. */
const fieldBytes = (length: number): number => (length > 0 ? 1 + varintBytes(length) + length : 0);

function bodyBytes(reply: ReplyMessage): number {
  const { id, code, message, details } = reply;
  const texts = fieldBytes(message ? Buffer.byteLength(message) : 0) + fieldBytes(details?.length ?? 0) + fieldBytes(responseBytes(reply));
  return 1 + varintBytes(id) + (code > 0 ? 1 + varintBytes(code) : 0) + texts;
}

/** Batches are written here; grpc-js copies each into a frame of its own as soon as it has it. */
let scratch = Buffer.allocUnsafe(16 * 1024);
const SCRATCH_BYTES_MAX = 4 * 1024 * 1024;

function scratchOf(length: number): Buffer {
  if (length > SCRATCH_BYTES_MAX) return Buffer.allocUnsafe(length);
  if (length > scratch.length) scratch = Buffer.allocUnsafe(Math.max(length, 2 * scratch.length));
  return scratch.subarray(0, length);
}

/** ReplyBatch -> bytes, to be used up before the next batch is encoded. */
export function encodeReplyBatch(replies: readonly ReplyMessage[]): Buffer {
  const bodies = replies.map(bodyBytes);
  let length = 0;
  for (const body of bodies) length += fieldBytes(body);
  const target = scratchOf(length);
  let at = 0;
  const varint = (value: number): void => {
    at = writeVarint(target, at, value);
  };
  const bytes = (field: number, length: number, parts: readonly Uint8Array[]): void => {
    if (length === 0) return;
    target[at++] = field;
    varint(length);
    for (const part of parts) {
      target.set(part, at);
      at += part.length;
    }
  };
  replies.forEach((reply, i) => {
    const { id, code, message, details, response } = reply;
    target[at++] = REPLIES;
    varint(bodies[i]!);
    target[at++] = REPLY.id;
    varint(id);
    if (code > 0) {
      target[at++] = REPLY.code;
      varint(code);
    }
    if (message) {
      const text = Buffer.from(message);
      bytes(REPLY.message, text.length, [text]);
    }
    if (details) bytes(REPLY.details, details.length, [details]);
    if (response) bytes(REPLY.response, responseBytes(reply), response);
  });
  return target;
}
