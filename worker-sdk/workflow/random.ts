/**
 * Randomness that replays: Johannes Baagøe's Alea generator, seeded by the run. The same generator as in the field's TypeScript SDK, so
 * that ids made at random in a recorded history come out the same here.
 */
export type Random = () => number;

const TO_FRACTION = 2 ** -32;

/** Baagøe's Mash: folds bytes into a fraction. Stateful: each call goes on where the last one ended. */
export function mash(): (data: readonly number[]) => number {
  let n = 0xefc8249d;
  return (data) => {
    for (const value of data) {
      n += value;
      let h = 0.02519603282416938 * n;
      n = h >>> 0;
      h -= n;
      h *= n;
      n = h >>> 0;
      h -= n;
      n += h * 2 ** 32;
    }
    return (n >>> 0) * TO_FRACTION;
  };
}

/** A generator of numbers in [0, 1). */
export function alea(seed: readonly number[]): Random {
  const fold = mash();
  const space = [32];
  const state = [fold(space), fold(space), fold(space)] as [number, number, number];
  let carry = 1;
  for (let i = 0; i < 3; i++) {
    state[i]! -= fold(seed);
    if (state[i]! < 0) state[i]! += 1;
  }
  let [s0, s1, s2] = state;
  return () => {
    const t = 2091639 * s0 + carry * TO_FRACTION;
    s0 = s1;
    s1 = s2;
    carry = t | 0;
    s2 = t - carry;
    return s2;
  };
}

/** A version 4 UUID. */
export function uuid4From(random: Random): string {
  const words = [0, 0, 0, 0].map(() => (random() * 2 ** 32) >>> 0) as [number, number, number, number];
  words[1] = ((words[1] & 0xffff0fff) | 0x4000) >>> 0;
  words[2] = ((words[2] & 0x3fffffff) | 0x80000000) >>> 0;
  const hex = words.map((word) => word.toString(16).padStart(8, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Fills bytes at random. */
export function fillFrom(random: Random, bytes: Uint8Array): Uint8Array {
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(random() * 256);
  return bytes;
}
