/** Many who wait for one signal share a listener: each is told once, and who left is not told. */
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { AbortWatch } from '../../../worker-sdk/transport/abort-watch.js';

test('all who still wait are told, each once, in their order', () => {
  const told: string[] = [];
  const watch = new AbortWatch<string>((member) => told.push(member));
  const [one, other] = [new AbortController(), new AbortController()];
  for (const name of ['a', 'b', 'c']) watch.add(one.signal, name);
  watch.add(other.signal, 'd');
  watch.remove(one.signal, 'b');
  one.abort();
  expect(told).toEqual(['a', 'c']);
  other.abort();
  expect(told).toEqual(['a', 'c', 'd']);
});

test('a signal has one listener, and none once nobody waits', () => {
  const watch = new AbortWatch<number>(() => undefined);
  const { signal } = new AbortController();
  for (let i = 0; i < 20; i++) watch.add(signal, i);
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  for (let i = 0; i < 20; i++) watch.remove(signal, i);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  watch.remove(signal, 3);
  watch.add(signal, 4);
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
});
