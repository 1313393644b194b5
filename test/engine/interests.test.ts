/** Who is told of a run's changes: nodes at which somebody waits for it, as long as they wait, and no others. */
import { describe, expect, it } from 'vitest';
import { Interests } from '../../server/engine/interests.js';
import { Watchers } from '../../server/engine/watchers.js';

describe('interest in runs that is told by other nodes', () => {
  it('is in every change, or in the end alone; it ends with the run, or with its time', () => {
    let nowMs = 0;
    const interests = new Interests(() => nowMs);
    expect(interests.wants('nobody', { open: false, nextEventId: 5 })).toBe(false);

    interests.note('end', true, 100);
    expect(interests.wants('end', { open: true, nextEventId: 5 })).toBe(false);
    expect(interests.wants('end', { open: false, nextEventId: 9 })).toBe(true);
    expect(interests.wants('end', { open: false, nextEventId: 9 })).toBe(false);

    interests.note('all', true, 100);
    interests.note('all', false, 50);
    interests.note('all', true, 60);
    expect(interests.wants('all', { open: true, nextEventId: 5 })).toBe(true);
    nowMs = 101;
    expect(interests.wants('all', { open: true, nextEventId: 6 })).toBe(false);
    expect(interests.size).toBe(0);
  });

  it('is forgotten when its time is over, though nothing ever happens to the run', () => {
    let nowMs = 0;
    const interests = new Interests(() => nowMs);
    for (let i = 0; i < 100; i++) interests.note(`old ${i}`, true, 10);
    nowMs = 11;
    for (let i = 0; i < 100; i++) interests.note(`new ${i}`, true, 1_000);
    expect(interests.size).toBeLessThanOrEqual(101);
  });
});

describe('a caller that waits for a run', () => {
  it('is woken by what it waits for and by word that says nothing, not by every change', async () => {
    const watchers = new Watchers();
    const first = watchers.watch('run', 60_000, { holds: ({ open }) => open });
    const second = watchers.watch('run', 60_000);
    watchers.wake('run', { open: true, nextEventId: 4 });
    expect(await second.changed).toEqual({ open: true, nextEventId: 4 });
    expect(watchers.has('run')).toBe(true);
    watchers.wake('run', { open: false, nextEventId: 9 });
    expect(await first.changed).toEqual({ open: false, nextEventId: 9 });
    expect(watchers.size).toBe(0);

    const third = watchers.watch('run', 60_000, { holds: () => true });
    watchers.wake('run');
    expect(await third.changed).toBe('changed');
  });
});
