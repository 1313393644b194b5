/** Encoding messages of the API: into a buffer that is used again and again, and from there into one of exactly their length. */
import { api } from './api.js';

type Writer = ReturnType<typeof api.common.v1.Payload.encode>;

export interface Codec<Message> {
  encode(message: Message, writer?: Writer): Writer;
}

/** A buffer that has grown larger is not kept. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024;

/** The library's own way gives each message a buffer of 128 bytes, which doubles as often as it must: of a large message that is four times its size. */
const newWriter = (): Writer => api.common.v1.Payload.encode({});
let writer = newWriter();

/** The bytes of a message as they lie in that buffer: to be used up before anything else is encoded. */
export function passingBytesOf<Message>(codec: Codec<Message>, message: Message): Buffer {
  if (writer.buf.length > KEPT_BYTES_MAX) writer = newWriter();
  writer.pos = 0;
  try {
    codec.encode(message, writer);
  } catch (error) {
    writer = newWriter(); // this one was left in the middle of a message
    throw error;
  }
  return (writer.buf as Buffer).subarray(0, writer.pos);
}

/** The bytes of a message, in memory of their own. */
export const bytesOf = <Message>(codec: Codec<Message>, message: Message): Buffer => Buffer.from(passingBytesOf(codec, message));
