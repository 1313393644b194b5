/** Events one after the other as the bytes of a History, each encoded and copied once. */
import { api, type HistoryEvent } from './api.js';
import { passingBytesOf } from './encode.js';
import { varintBytes, writeVarint } from './varint.js';

const EventCodec = api.history.v1.HistoryEvent;

/** Field 1, bytes. */
const EVENT_TAG = (1 << 3) | 2;
const FIRST_BYTES = 512;
/** Beside a large event there is room for those that come with it. */
const ROOM_BYTES = 1024;

export class HistoryWriter {
  private buffer: Buffer | undefined;
  private length = 0;

  /** Adds an event; returns how many bytes it is by itself. */
  add(event: HistoryEvent): number {
    const bytes = passingBytesOf(EventCodec, event);
    const target = this.reserve(1 + varintBytes(bytes.length) + bytes.length);
    target[this.length] = EVENT_TAG;
    const at = writeVarint(target, this.length + 1, bytes.length);
    target.set(bytes, at);
    this.length = at + bytes.length;
    return bytes.length;
  }

  /** All of them; nothing may be added any more. Undefined: there were none. */
  finish(): Buffer | undefined {
    const written = this.buffer?.subarray(0, this.length);
    // what is kept for long shall not keep much that is unused
    return written && this.buffer!.length > this.length * 1.25 ? Buffer.from(written) : written;
  }

  private reserve(bytes: number): Buffer {
    const needed = this.length + bytes;
    if (this.buffer && needed <= this.buffer.length) return this.buffer;
    const larger = Buffer.allocUnsafe(needed <= FIRST_BYTES ? FIRST_BYTES : Math.max(needed + ROOM_BYTES, 2 * (this.buffer?.length ?? 0)));
    if (this.buffer) larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
    return larger;
  }
}
