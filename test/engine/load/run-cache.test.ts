/** What a node remembers of runs: open ones for long, closed ones for a moment, and less of both when memory is short. */
import { expect, it } from 'vitest';
import { blankState } from '../../../server/core/blank-state.js';
import { type CachedRun, RunCache } from '../../../server/engine/run-cache.js';

const run = (runId: string, status = 1): CachedRun => ({
  state: { ...blankState({ namespaceId: 'n', namespace: 'default', workflowId: 'w', runId, requestId: 'q' }), status },
  version: 1,
  deadlineMs: null,
  recent: [],
  recentFrom: 1,
});

it('closed runs do not push out open ones', () => {
  const cache = new RunCache(10);
  for (let i = 0; i < 10; i++) cache.put(run(`open-${i}`));
  for (let i = 0; i < 2_000; i++) cache.put(run(`closed-${i}`, 2));
  expect(cache.size).toBe(510);
  expect(cache.peek('open-0')).toBeDefined();
  expect(cache.peek('closed-1999')).toBeDefined();
  expect(cache.peek('closed-1')).toBeUndefined();
});

it('a run that closes is one of the closed', () => {
  const cache = new RunCache(10);
  cache.put(run('r'));
  cache.put({ ...run('r', 2), version: 2 });
  expect(cache.size).toBe(1);
  expect(cache.take('r')?.version).toBe(2);
  expect(cache.peek('r')).toBeUndefined();
});

it('short of memory, the half that was not touched for longest goes', () => {
  const cache = new RunCache(10);
  for (let i = 0; i < 4; i++) cache.put(run(`open-${i}`));
  cache.put(run('closed', 2));
  cache.put(cache.take('open-0')!);
  cache.shrink();
  expect(['open-0', 'open-1', 'open-2', 'open-3', 'closed'].filter((id) => cache.peek(id))).toEqual(['open-0', 'open-3']);
});

it('with nothing to do, the thousand that were touched last stay', () => {
  const cache = new RunCache(10_000);
  for (let i = 0; i < 3_000; i++) cache.put(run(`open-${i}`));
  cache.put(cache.take('open-0')!);
  cache.rest();
  expect(cache.size).toBe(1_000);
  expect(cache.peek('open-0')).toBeDefined();
  expect(cache.peek('open-2000')).toBeUndefined();
  expect(cache.peek('open-2999')).toBeDefined();
});

/** One whose last event is so large. */
const withRow = (runId: string, bytes: number): CachedRun => {
  const made = run(runId);
  made.state.nextEventId = 2;
  made.recent.push({ firstEventId: 1, lastEventId: 1, batchStarts: [], events: Buffer.alloc(bytes) });
  return made;
};

it('history is remembered up to a bound for all runs together: those that were touched last keep theirs', () => {
  const cache = new RunCache(1_000);
  for (let i = 0; i < 100; i++) cache.put(withRow(`r-${i}`, 1024 * 1024));
  cache.put(cache.take('r-50')!);
  for (let i = 100; i < 163; i++) cache.put(withRow(`r-${i}`, 1024 * 1024));
  const rowsOf = (id: string): number => cache.peek(id)!.recent.length;
  expect(['r-49', 'r-50', 'r-99', 'r-100', 'r-162'].map(rowsOf)).toEqual([0, 1, 0, 1, 1]);
  expect(cache.peek('r-49')!.recentFrom).toBe(2);
  expect(cache.peek('r-50')!.recentFrom).toBe(1);
});

it('what is forgotten with its run makes room', () => {
  const cache = new RunCache(1_000);
  for (let i = 0; i < 64; i++) cache.put(withRow(`r-${i}`, 1024 * 1024));
  for (let i = 1; i < 64; i++) cache.drop(`r-${i}`);
  for (let i = 100; i < 163; i++) cache.put(withRow(`r-${i}`, 1024 * 1024));
  expect(cache.peek('r-0')!.recent).toHaveLength(1);
});

it('a run of which more is new than one answer holds is read from the database', () => {
  const cache = new RunCache(10);
  cache.put(withRow('large', 3 * 1024 * 1024));
  expect(cache.peek('large')).toMatchObject({ recent: [], recentFrom: 2 });
});
