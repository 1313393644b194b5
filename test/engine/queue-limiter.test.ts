/** The limits of one queue, by themselves: places taken and given back, keys that wait while others go, and rates that change. */
import { beforeEach, describe, expect, it } from 'vitest';
import { QueueLimiter } from '../../server/engine/matching/queue-limiter.js';

let nowMs: number;
let limiter: QueueLimiter;

beforeEach(() => {
  nowMs = 1_000_000;
  limiter = new QueueLimiter(() => nowMs);
});

const set = (perSecond?: number, keyPerSecond?: number, weights = {}) => limiter.setRates({ perSecond, keyPerSecond, weights });
/** How many of a key may go now, at most ten thousand. */
const taken = (key = '', weight = 0) => {
  let n = 0;
  while (n < 10_000 && limiter.take({ key, weight })) n++;
  return n;
};

describe('a limit of the whole queue', () => {
  it('lets its rate go, and what is given back goes again', () => {
    set(10);
    expect(limiter.room).toBe(11);
    const places = Array.from({ length: 11 }, () => limiter.take({ key: '', weight: 0 }));
    expect([limiter.room, limiter.take({ key: '', weight: 0 })]).toEqual([0, undefined]);
    for (const giveBack of places.slice(0, 3)) giveBack!();
    expect(taken()).toBe(3);
    nowMs += 500;
    expect(taken()).toBe(5);
  });

  it('knows when more may go', () => {
    set(4);
    taken();
    expect(limiter.readyInMs()).toBe(250);
    set(0);
    expect([limiter.room, limiter.readyInMs()]).toEqual([0, Number.POSITIVE_INFINITY]);
    nowMs += 3_600_000;
    expect(taken()).toBe(0);
    set(4);
    expect(taken()).toBe(5);
    set(undefined);
    expect(limiter.room).toBe(Number.POSITIVE_INFINITY);
  });

  it('that is set again as it was forgets nothing', () => {
    set(10);
    expect(taken()).toBe(11);
    set(10);
    expect(taken()).toBe(0);
  });

  it('that held something back says so for half a minute', () => {
    set(1);
    expect(limiter.heldLately).toBe(false);
    taken();
    expect(limiter.heldLately).toBe(true);
    nowMs += 30_000;
    expect(limiter.heldLately).toBe(false);
  });
});

describe('a limit of each key', () => {
  it('holds each by itself, scaled by its weight', () => {
    set(undefined, 2, { gold: 5, constructorless: 1 });
    expect([taken('a'), taken('b', 2), taken('gold', 1), taken('constructor')]).toEqual([3, 5, 11, 3]);
    expect(limiter.heldKeys().sort()).toEqual(['a', 'b', 'constructor', 'gold']);
    expect(limiter.readyInMs()).toBe(100);
    nowMs += 100;
    expect([taken('a'), taken('gold', 1)]).toEqual([0, 1]);
  });

  it('gives back to the key that took', () => {
    set(undefined, 1);
    const first = limiter.take({ key: 'a', weight: 0 })!;
    limiter.take({ key: 'a', weight: 0 });
    expect(taken('a')).toBe(0);
    first();
    expect([taken('a'), taken('b')]).toEqual([1, 2]);
  });

  it('and of the whole: the tighter one counts', () => {
    set(4, 10);
    expect([taken('a'), taken('b')]).toEqual([5, 0]);
  });

  it('is forgotten when it is taken away', () => {
    set(undefined, 1);
    taken('a');
    set(undefined, undefined);
    expect([limiter.heldKeys(), taken('a')]).toEqual([[], 10_000]);
  });
});
