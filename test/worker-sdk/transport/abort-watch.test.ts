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

test('a signal has one listener, which stays for whoever comes next', () => {
  const told: number[] = [];
  const watch = new AbortWatch<number>((member) => told.push(member));
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = () => getEventListeners(signal, 'abort').length;
  for (let i = 0; i < 20; i++) watch.add(signal, i);
  expect(listeners()).toBe(1);
  for (let i = 0; i < 20; i++) watch.remove(signal, i);
  watch.remove(signal, 3);
  expect(listeners()).toBe(1);
  watch.add(signal, 4);
  expect(listeners()).toBe(1);
  controller.abort();
  expect(told).toEqual([4]);
});

test('of signals that nobody waits for only the last few are listened to, and none once the watch is closed', () => {
  const watch = new AbortWatch<number>(() => undefined);
  const signals = Array.from({ length: 100 }, () => new AbortController().signal);
  const listenedTo = () => signals.filter((signal) => getEventListeners(signal, 'abort').length > 0).length;
  for (const [i, signal] of signals.entries()) {
    watch.add(signal, i);
    watch.remove(signal, i);
  }
  expect(listenedTo()).toBeLessThan(10);
  watch.add(signals[0]!, 0);
  watch.close();
  expect(listenedTo()).toBe(1);
});
