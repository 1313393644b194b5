/** Messages of any type with values that somebody might send: plausible ones, extremes, and nonsense, from a seed. */
import type { Enum, Field, Type } from 'protobufjs';

/** A small seeded generator (mulberry32), so that a failure can be played again by its number. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface Plausible {
  /** Values that mean something to the server, by field name. */
  readonly [field: string]: readonly unknown[];
}

const DEPTH_MAX = 6;
const STRINGS = [
  '',
  'x',
  'a\0b',
  '\n\t',
  '😀',
  '../../etc',
  "'; drop table runs; --",
  '%s%n',
  'null',
  '-1',
  '9'.repeat(40),
  'x'.repeat(1001),
  'é'.repeat(3000),
  '{{',
  '/_sys/q',
  '*',
];
const INTEGERS = [0, 1, -1, 2, 7, 2 ** 31 - 1, -(2 ** 31), 1000, 99];
const LONGS = ['0', '1', '-1', '5', '9223372036854775807', '-9223372036854775808', '315576000001', '1000000000000'];
const DOUBLES = [0, -0, 1, -1, 0.5, 1e308, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324];

export class EvilMessages {
  private presence = 0.5;

  constructor(
    private readonly random: () => number,
    private readonly plausible: Plausible,
  ) {}

  private pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)] as T;
  }

  private chance(probability: number): boolean {
    return this.random() < probability;
  }

  private bytes(): Uint8Array {
    const length = this.pick([0, 1, 4, 16, 200]);
    return Uint8Array.from({ length }, () => Math.floor(this.random() * 256));
  }

  private scalar(type: string): unknown {
    switch (type) {
      case 'string':
        return this.pick(STRINGS);
      case 'bytes':
        return this.bytes();
      case 'bool':
        return this.chance(0.5);
      case 'double':
      case 'float':
        return this.pick(DOUBLES);
      case 'int64':
      case 'sint64':
      case 'sfixed64':
      case 'uint64':
      case 'fixed64':
        return this.pick(LONGS);
      default:
        return this.pick(INTEGERS);
    }
  }

  /** Messages that a sparse one should still have, because nothing is done without them. */
  private expected(field: Field, presence: number): boolean {
    return (
      presence < 0.2 &&
      /^(workflowType|taskQueue|activityType|workflowExecution|execution|query|request|meta|input|updateRef|commands|.*Attributes)$/.test(
        field.name,
      ) &&
      this.chance(0.7)
    );
  }

  private value(field: Field, depth: number): unknown {
    const known = this.plausible[field.name]?.filter((value) => typeof value !== 'string' || field.type === 'string');
    if (known?.length && this.chance(this.presence < 0.2 ? 0.97 : 0.8)) return this.pick(known);
    const resolved = field.resolve().resolvedType;
    if (!resolved) return this.scalar(field.type);
    if ('values' in resolved) return this.chance(0.8) ? this.pick(Object.values((resolved as Enum).values)) : this.pick(INTEGERS);
    return this.message(resolved as Type, depth + 1);
  }

  /**
   * A message as a plain object, for `fromObject`. Half of them are sparse: plausible but for a field or two, so that they get past the
   * first checks and into the depths.
   */
  message(type: Type, depth = 0): Record<string, unknown> {
    const message: Record<string, unknown> = {};
    if (depth > DEPTH_MAX) return message;
    if (depth === 0) this.presence = this.chance(0.5) ? 0.5 : 0.07;
    const { presence } = this;
    for (const field of type.fieldsArray) {
      const known = this.plausible[field.name] !== undefined && this.chance(0.85);
      if (!known && !this.chance(presence) && !this.expected(field, presence)) continue;
      if (field.map)
        message[field.name] = Object.fromEntries(
          Array.from({ length: this.pick([0, 1, 3]) }, () => [this.pick(STRINGS), this.value(field, depth)]),
        );
      else if (field.repeated) message[field.name] = Array.from({ length: this.pick([0, 1, 1, 2, 12]) }, () => this.value(field, depth));
      else message[field.name] = this.value(field, depth);
    }
    return message;
  }
}

/** Encoded bytes with a few of them changed, cut off, doubled or made up. */
export function mutate(bytes: Uint8Array, random: () => number): Uint8Array {
  const copy = Buffer.from(bytes);
  const at = () => Math.floor(random() * (copy.length + 1));
  const way = random();
  if (way < 0.25) return copy.subarray(0, at());
  if (way < 0.4) return Buffer.concat([copy, copy.subarray(at())]);
  if (way < 0.55) return Uint8Array.from({ length: Math.floor(random() * 300) }, () => Math.floor(random() * 256));
  for (let i = 0; i < 3 && copy.length > 0; i++) copy[Math.min(copy.length - 1, at())] = Math.floor(random() * 256);
  return copy;
}
