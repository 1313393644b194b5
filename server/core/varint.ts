/** Numbers as messages of the API hold them: seven bits a byte, the lowest first. Up to 2^32. */

export const varintBytes = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;

/** Writes a number; returns where the next byte belongs. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let next = at;
  let left = value;
  for (; left > 0x7f; left >>>= 7) target[next++] = (left & 0x7f) | 0x80;
  target[next++] = left;
  return next;
}
