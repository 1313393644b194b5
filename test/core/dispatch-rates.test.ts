/** Limits, meters and hints of task queues, each by itself. */
import { describe, expect, test } from 'vitest';
import { afterChange, afterOne, dispatchLimit, room } from '../../server/core/dispatch-limit.js';
import { HintBudget, pollerDelta } from '../../server/core/poller-scaling.js';
import { RateMeter } from '../../server/core/rate-meter.js';

describe('a limit of tasks a second', () => {
  /** When each of `n` tasks goes, taken as early as the limit allows. */
  const times = (perSecond: number, n: number): number[] => {
    const limit = dispatchLimit(perSecond);
    let readyMs = 0;
    let nowMs = 100_000;
    return Array.from({ length: n }, () => {
      nowMs = Math.max(nowMs, readyMs);
      readyMs = afterOne(limit, readyMs, nowMs);
      return nowMs - 100_000;
    });
  };

  test('lets a second’s worth go at once after a quiet time, then one in each interval', () => {
    expect(times(5, 10)).toEqual([0, 0, 0, 0, 0, 0, 200, 400, 600, 800]);
    expect(times(0.5, 4)).toEqual([0, 2_000 - 1_000, 3_000, 5_000]);
  });

  test('knows how much room there is', () => {
    const limit = dispatchLimit(10);
    expect(room(limit, 0, 50_000)).toBe(11);
    expect(room(limit, 50_000, 50_000)).toBe(1);
    expect(room(limit, 50_001, 50_000)).toBe(0);
    expect(room(dispatchLimit(0), 0, 50_000)).toBe(0);
  });

  test('of a slow time nothing remains when it is raised', () => {
    const slow = afterOne(dispatchLimit(0.001), 0, 10_000);
    expect(slow).toBeGreaterThan(900_000);
    expect(afterChange(dispatchLimit(10), slow, 10_000)).toBe(10_100);
  });
});

describe('a meter', () => {
  test('counts over its own age while it is young, then over half a minute', () => {
    const meter = new RateMeter(0);
    for (let i = 0; i < 10; i++) meter.add(1_000);
    expect(meter.perSecond(2_000)).toBe(5);
    expect(meter.perSecond(20_000)).toBe(0.5);
    for (let ms = 21_000; ms <= 120_000; ms += 100) meter.add(ms);
    expect(meter.perSecond(120_000)).toBeCloseTo(10, 0);
    expect(meter.idle(120_000)).toBe(false);
    expect(meter.perSecond(200_000)).toBe(0);
    expect(meter.idle(200_000)).toBe(true);
  });
});

describe('hints for workers that scale their pollers', () => {
  const even = () => ({ added: 5, dispatched: 5 });
  const facts = { waitedMs: 20, backlogAgeMs: undefined, rateLimited: false, rates: even };
  const always = () => true;

  test.each([
    ['a poll that waited for a second was one too many', { waitedMs: 1_000 }, -1],
    ['one that found its task in the backlog was not, however long it waited', { waitedMs: 1_500, backlogAgeMs: 100 }, 0],
    ['a task that lay for long wants more polls', { backlogAgeMs: 201 }, 1],
    ['more come than go', { rates: () => ({ added: 7, dispatched: 5 }) }, 1],
    ['as many go as come', {}, 0],
    ['a limit holds tasks back, and more polls would not help', { backlogAgeMs: 5_000, rateLimited: true }, 0],
  ])('%s', (_why, more, delta) => {
    expect(pollerDelta({ ...facts, ...more }, always)).toBe(delta);
  });

  test('ask for ten more a second and poller at most', () => {
    const budget = new HintBudget();
    const taken = (pollers: number, nowMs: number) => {
      let n = 0;
      while (budget.take(pollers, nowMs)) n++;
      return n;
    };
    expect(taken(2, 50_000)).toBe(21);
    expect(taken(2, 50_500)).toBe(10);
  });
});
