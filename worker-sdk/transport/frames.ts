/** Cuts a stream of bytes into gRPC messages. */
import { PREFIX_BYTES } from './http2-call.js';

/** Collects chunks until messages are complete. */
export class MessageFrames {
  private rest: Buffer[] = [];
  private restBytes = 0;
  /** Bytes that the message under way needs, prefix included; known once the prefix is there. */
  private needed = PREFIX_BYTES;

  /** Takes a chunk; answers with the messages that it completes. */
  push(chunk: Buffer): Buffer[] {
    this.rest.push(chunk);
    this.restBytes += chunk.length;
    if (this.restBytes < this.needed) return [];
    let bytes = this.rest.length === 1 ? this.rest[0]! : Buffer.concat(this.rest, this.restBytes);
    const messages: Buffer[] = [];
    for (;;) {
      this.needed = bytes.length < PREFIX_BYTES ? PREFIX_BYTES : PREFIX_BYTES + bytes.readUInt32BE(1);
      if (bytes.length < this.needed) break;
      messages.push(bytes.subarray(PREFIX_BYTES, this.needed));
      bytes = bytes.subarray(this.needed);
    }
    this.rest = bytes.length > 0 ? [bytes] : [];
    this.restBytes = bytes.length;
    return messages;
  }
}
