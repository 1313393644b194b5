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
