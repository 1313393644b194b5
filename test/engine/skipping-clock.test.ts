/** The clock of test mode by itself, with real time in the test's hand. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { blankState } from '../../server/core/blank-state.js';
import type { RunState } from '../../server/core/run-state.js';
import { TimeSkipping } from '../../server/engine/time-skipping.js';
import type { CommitItem, CommitResult } from '../../server/storage/commit-item.js';

const HOUR_MS = 3_600_000;
const START_MS = Date.parse('2026-03-01T12:00:00Z');

let busy = false;
/** What the clock asked for: runs by name; nothing at all when it reminds. */
let asked: (readonly string[])[] = [];
let time: TimeSkipping;

const make = (locks: number): TimeSkipping => {
  time = new TimeSkipping({ wall: { now: Date.now }, locks, busy: () => busy, due: (runIds) => void asked.push(runIds) });
  return time;
};

/** An open run with a timer, and a workflow task under way if told so. */
const run = (runId: string, fireMs: number, { task = false } = {}): RunState => {
  const state = blankState({ runId, workflowId: runId, namespaceId: 'n', namespace: 'n' } as never);
  if (fireMs > 0) state.timers['1'] = { timerId: '1', startedEventId: 5, fireMs };
  if (task) state.workflowTask = { startedEventId: 0, scheduleToStartMs: 0 } as never;
  return state;
};

/** A commit that writes these runs and ends when it is told to. */
const commit = (...states: RunState[]): (() => Promise<void>) => {
  let end: (result: CommitResult) => void = () => undefined;
  const watched = time.watch({ runs: states.map((state) => ({ state })) } as unknown as CommitItem, new Promise((resolve) => (end = resolve)));
  return async () => {
    end('done');
    await watched;
  };
};
const committed = (...states: RunState[]): Promise<void> => commit(...states)();
const passed = async (ms = 0): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms));
const hours = (): number => (time.now() - START_MS) / HOUR_MS;

beforeEach(() => {
  vi.useFakeTimers({ now: START_MS });
  busy = false;
  asked = [];
});
afterEach(() => {
  time.stop();
  vi.useRealTimers();
});

describe('a clock that skips time', () => {
  it('stands where something is due until that has been done, and then goes on from there', async () => {
    make(0);
    await committed(run('a', START_MS + HOUR_MS));
    await passed(20);
    expect(asked).toEqual([['a']]);
    expect(hours()).toBe(1);
    await committed(run('a', 0, { task: true }));
    await passed(20);
    expect(time.now() - START_MS - HOUR_MS).toBe(20);
    expect(asked).toEqual([['a']]);
  });

  it('goes to the earliest of all runs, and to the next only when that one has nothing under way', async () => {
    make(0);
    const end = commit(run('a', START_MS + 2 * HOUR_MS), run('b', START_MS + HOUR_MS));
    await passed(20);
    expect(asked).toEqual([]); // a commit is under way
    await end();
    await passed();
    expect(asked).toEqual([['b']]);
    await committed(run('b', 0, { task: true }));
    await passed(1_000);
    expect(asked).toEqual([['b']]);
    await committed(run('b', 0));
    await passed();
    expect(asked).toEqual([['b'], ['a']]);
    expect(hours()).toBe(2);
  });

  it('does not jump while something is under way that no run tells of', async () => {
    make(0);
    busy = true;
    await committed(run('a', START_MS + HOUR_MS));
    await passed(500);
    expect(asked).toEqual([]);
    busy = false;
    await passed(10);
    expect(asked).toEqual([['a']]);
  });

  it('reminds when nothing comes of what is due, and does not stand for ever', async () => {
    make(0);
    await committed(run('a', START_MS + HOUR_MS));
    await passed(250);
    expect(asked).toEqual([['a'], [], []]);
    expect(hours()).toBe(1);
    await passed(2_000);
    expect(hours()).toBeGreaterThan(1);
  });

  it('asks in time for what falls due while something else is under way', async () => {
    make(0);
    await committed(run('a', START_MS + HOUR_MS), run('b', START_MS + HOUR_MS + 30));
    await passed();
    await committed(run('a', 0, { task: true }));
    await passed(28);
    expect(asked).toEqual([['a']]);
    await passed(5);
    expect(asked).toEqual([['a'], ['b']]);
  });

  it('tells apart a due moment that was asked for and a new one', async () => {
    make(0);
    await committed(run('a', START_MS + HOUR_MS));
    await passed();
    await committed(run('a', START_MS + HOUR_MS)); // something else of the run was written first
    await passed(10);
    expect(asked).toEqual([['a']]);
    await committed(run('a', START_MS + 2 * HOUR_MS));
    await passed();
    expect(asked).toEqual([['a'], ['a']]);
  });

  it('wakes sleepers after the runs of the same moment', async () => {
    make(0);
    const woken: string[] = [];
    await committed(run('a', START_MS + HOUR_MS));
    time.at(START_MS + HOUR_MS, () => woken.push('sleeper'));
    await passed(50);
    expect(asked[0]).toEqual(['a']);
    expect(woken).toEqual([]);
    await committed(run('a', 0, { task: true }));
    await passed(10);
    expect(woken).toEqual(['sleeper']);
  });

  it('takes back a sleep that was given up, with its lock', async () => {
    make(1);
    const giveUp = time.unlockedAt(START_MS + HOUR_MS, () => undefined);
    giveUp();
    await passed(50);
    expect(time.now() - START_MS).toBe(50);
  });

  it('forgets what was open in a namespace that is gone', async () => {
    make(0);
    await committed(run('a', 0, { task: true }));
    time.at(START_MS + HOUR_MS, () => undefined);
    await passed(50);
    expect(time.now() - START_MS).toBe(50);
    time.forget('n');
    await passed(10);
    expect(hours()).toBeGreaterThanOrEqual(1);
  });
});
