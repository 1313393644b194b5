import { describe, expect, test } from 'vitest';
import { effectiveWeight, FairOrder } from '../../server/core/fair-order.js';

const NOW = 1_000_000;

/** The keys of tasks in the order in which they go out. */
function out(tasks: readonly { key: string; place: number }[]): string {
  return tasks
    .map((task, at) => ({ ...task, at }))
    .sort((a, b) => a.place - b.place || a.at - b.at)
    .map((t) => t.key || '-')
    .join('');
}

const add = (order: FairOrder, keys: string, nowMs = NOW, weight = 1) =>
  [...keys].map((key) => ({ key, place: order.place(key, weight, nowMs) }));

describe('the order of waiting tasks', () => {
  test('without tenants is that of arrival', () => {
    const order = new FairOrder();
    const places = [0, 0, 1, 5, 5].map((ms) => order.place('', 1, NOW + ms));
    expect(places).toEqual([0, 0, 1, 5, 5].map((ms) => NOW + ms));
    expect(order.takesTurns).toBe(false);
  });

  test('tenants take turns, however many tasks each brings', () => {
    const order = new FairOrder();
    const tasks = [...add(order, 'AAAAAA'), ...add(order, 'BB'), ...add(order, 'C')];
    expect(out(tasks)).toBe('ABCABAAAA');
  });

  test('one of weight 3 goes three times as often', () => {
    const order = new FairOrder();
    const tasks = [...add(order, 'AAAAAAAAAAAA', NOW, 3), ...add(order, 'BBBB')];
    const first8 = out(tasks).slice(0, 8);
    expect([...first8].filter((k) => k === 'A')).toHaveLength(6);
  });

  test('those without a tenant are one among the others once there are others', () => {
    const order = new FairOrder();
    expect(out([...add(order, 'A'), ...[1, 2, 3].map(() => ({ key: '', place: order.place('', 1, NOW) })), ...add(order, 'B')])).toBe(
      'A-B--',
    );
  });

  test('who comes new begins where the turn is, not before all others', () => {
    const order = new FairOrder();
    const many = add(order, 'A'.repeat(100));
    order.served(many[50]!.place);
    const late = add(order, 'BBBB', NOW + 10);
    expect(out([...many.slice(51), ...late]).slice(0, 7)).toBe('BABABAB');
  });

  test('nobody waits for what comes after his own place in time', () => {
    const order = new FairOrder();
    const greedy = add(order, 'A'.repeat(30));
    const place = greedy.at(-1)!.place;
    for (let i = 0; i < 200; i++) expect(order.place(`late-${i}`, 1, place + 1)).toBeGreaterThan(place);
  });

  test('an empty queue owes nobody a turn', () => {
    const order = new FairOrder();
    add(order, 'A'.repeat(50));
    order.emptied();
    expect(order.place('A', 1, NOW)).toBe(NOW);
  });

  test('a thousand tenants are remembered, and more do no harm', () => {
    const order = new FairOrder();
    for (let i = 0; i < 3_000; i++) order.place(`tenant-${i}`, 1, NOW);
    expect(order.place('tenant-2999', 1, NOW)).toBeGreaterThan(NOW);
    expect(order.place('tenant-0', 1, NOW)).toBe(NOW);
  });
});

test('weights: an override counts, then what the task says, then one', () => {
  expect(effectiveWeight({ key: 'a', weight: 2 }, { a: 5 })).toBe(5);
  expect(effectiveWeight({ key: 'a', weight: 2 }, {})).toBe(2);
  expect(effectiveWeight({ key: 'constructor', weight: 0 }, {})).toBe(1);
  expect(effectiveWeight({ key: 'a', weight: 0.000001 }, {})).toBe(0.001);
});
