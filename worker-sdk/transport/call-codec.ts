/**
 * The messages of perdure.v1.CallService (proto/perdure/v1/calls.proto), written and read by hand: they wrap every call,
 * so they must cost next to nothing.
 */
import protobuf from 'protobufjs/minimal.js';

/** A call on its way up. */
export interface StreamedCall {
  id: number;
  method: string;
  request: Uint8Array;
  timeoutMs: number;
}

/** A reply on its way down. */
export interface StreamedReply {
  id: number;
  code: number;
  message: string;
  /** Serialized google.rpc.Status, empty when there are no details. */
  details: Uint8Array;
  response: Uint8Array;
}

const NO_BYTES = new Uint8Array();

/** CallBatch -> bytes. */
export function encodeCallBatch(calls: readonly StreamedCall[], cancelled: readonly number[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const { id, method, request, timeoutMs } of calls) {
    writer.uint32(0x0a).fork();
    writer.uint32(0x08).uint32(id).uint32(0x12).string(method);
    if (request.length > 0) writer.uint32(0x1a).bytes(request);
    if (timeoutMs > 0) writer.uint32(0x20).uint32(timeoutMs);
    writer.ldelim();
  }
  if (cancelled.length > 0) {
    writer.uint32(0x12).fork();
    for (const id of cancelled) writer.uint32(id);
    writer.ldelim();
  }
  return writer.finish();
}

/** Bytes -> ReplyBatch. */
export function decodeReplyBatch(bytes: Uint8Array): StreamedReply[] {
  const reader = protobuf.Reader.create(bytes);
  const replies: StreamedReply[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 0x0a) replies.push(decodeReply(reader, reader.uint32() + reader.pos));
    else reader.skipType(tag & 7);
  }
  return replies;
}

function decodeReply(reader: protobuf.Reader, end: number): StreamedReply {
  const reply: StreamedReply = { id: 0, code: 0, message: '', details: NO_BYTES, response: NO_BYTES };
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 0x08) reply.id = reader.uint32();
    else if (tag === 0x10) reply.code = reader.uint32();
    else if (tag === 0x1a) reply.message = reader.string();
    else if (tag === 0x22) reply.details = reader.bytes();
    else if (tag === 0x2a) reply.response = reader.bytes();
    else reader.skipType(tag & 7);
  }
  return reply;
}
