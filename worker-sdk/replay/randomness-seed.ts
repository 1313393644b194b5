/**
 * The seed of a run's randomness: SipHash-1-3 (key zero) of its run id, as the field's SDK core computes it, so that ids that a
 * workflow made at random come out the same when its history is replayed here.
 */
const MASK = 0xffff_ffff_ffff_ffffn;
const rotl = (x: bigint, bits: bigint): bigint => ((x << bits) | (x >> (64n - bits))) & MASK;

class SipState {
  v0 = 0x736f6d6570736575n;
  v1 = 0x646f72616e646f6dn;
  v2 = 0x6c7967656e657261n;
  v3 = 0x7465646279746573n;

  round(): void {
    this.v0 = (this.v0 + this.v1) & MASK;
    this.v1 = rotl(this.v1, 13n) ^ this.v0;
    this.v0 = rotl(this.v0, 32n);
    this.v2 = (this.v2 + this.v3) & MASK;
    this.v3 = rotl(this.v3, 16n) ^ this.v2;
    this.v0 = (this.v0 + this.v3) & MASK;
    this.v3 = rotl(this.v3, 21n) ^ this.v0;
    this.v2 = (this.v2 + this.v1) & MASK;
    this.v1 = rotl(this.v1, 17n) ^ this.v2;
    this.v2 = rotl(this.v2, 32n);
  }

  absorb(word: bigint): void {
    this.v3 ^= word;
    this.round();
    this.v0 ^= word;
  }
}

/** The 64-bit seed of a run. A string is hashed as its UTF-8 bytes and a closing 0xff. */
export function randomnessSeed(runId: string): bigint {
  const bytes = new Uint8Array([...new TextEncoder().encode(runId), 0xff]);
  const view = new DataView(bytes.buffer);
  const state = new SipState();
  const whole = bytes.length - (bytes.length % 8);
  for (let i = 0; i < whole; i += 8) state.absorb(view.getBigUint64(i, true));
  let last = BigInt(bytes.length & 0xff) << 56n;
  for (let i = whole; i < bytes.length; i++) last |= BigInt(bytes[i]!) << BigInt(8 * (i - whole));
  state.absorb(last);
  state.v2 ^= 0xffn;
  for (let i = 0; i < 3; i++) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

/** The seed as eight bytes, most significant first: the form that seeds the generator. */
export function seedBytes(seed: bigint): number[] {
  const bytes: number[] = [];
  for (let shift = 56n; shift >= 0n; shift -= 8n) bytes.push(Number((seed >> shift) & 0xffn));
  return bytes;
}
