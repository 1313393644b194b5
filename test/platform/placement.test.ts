/** Where work goes in a group of engine processes: on one as long as it can, on more when it cannot, and back. */
import { describe, expect, it } from 'vitest';
import { FEW_MS, FULL_MS, type MemberView, nextStep, placeConnection, sinceWhen } from '../../server/group/placement.js';

const NOW = 1_000_000;

const member = (slot: number, more: Partial<MemberView> = {}): MemberView => ({
  slot,
  state: 'ready',
  load: { cpu: 0.1, connections: 4 },
  toldMs: NOW,
  fullSinceMs: undefined,
  idleSinceMs: undefined,
  ...more,
});
const full = (slot: number): MemberView => member(slot, { load: { cpu: 0.95, connections: 4 }, fullSinceMs: NOW - FULL_MS });
const idle = (slot: number, connections = 4): MemberView => member(slot, { load: { cpu: 0.05, connections }, idleSinceMs: NOW - FEW_MS });

describe('a new connection', () => {
  it('goes to the first process that has time, else to the one that has most', () => {
    expect(placeConnection([member(1), member(0)], 'packed', NOW)).toBe(0);
    expect(placeConnection([full(0), member(1)], 'packed', NOW)).toBe(1);
    expect(placeConnection([full(0), member(1, { load: { cpu: 0.7, connections: 0 } })], 'packed', NOW)).toBe(1);
  });

  it('goes to those in turn that take part when work is to be spread', () => {
    expect(placeConnection([member(0), member(1, { load: { cpu: 0.9, connections: 3 } })], 'spread', NOW)).toBe(1);
  });

  it('goes to none that stands by, and to one that is frozen only when there is no other', () => {
    const frozen = member(0, { toldMs: NOW - 10_000 });
    expect(placeConnection([member(0, { state: 'standby' })], 'packed', NOW)).toBeUndefined();
    expect(placeConnection([frozen, member(1)], 'packed', NOW)).toBe(1);
    expect(placeConnection([frozen], 'packed', NOW)).toBe(0);
  });
});

describe('a group', () => {
  it('leaves the others standing by while one process can do the work', () => {
    expect(nextStep([member(0), member(1, { state: 'standby' })], 'packed', 4, NOW)).toBeUndefined();
  });

  it('lets another take part when one has no time left and the machine has, and gives it half of the work', () => {
    expect(nextStep([full(0), member(1, { state: 'standby' })], 'packed', 2, NOW)).toEqual({ type: 'start', slot: 1 });
    expect(nextStep([full(0), member(1, { state: 'starting' })], 'packed', 2, NOW)).toBeUndefined();
    expect(nextStep([full(0), member(1, { load: { cpu: 0, connections: 0 } })], 'packed', 2, NOW)).toEqual({ type: 'move', from: 0, to: 1, share: 0.5 });
  });

  it('does not, when the machine has no time left either, or one connection makes all the work', () => {
    expect(nextStep([full(0), member(1, { state: 'standby' })], 'packed', 0.2, NOW)).toBeUndefined();
    const single = member(0, { load: { cpu: 0.95, connections: 1 }, fullSinceMs: NOW - FULL_MS });
    expect(nextStep([single, member(1, { state: 'standby' })], 'packed', 2, NOW)).toBeUndefined();
  });

  it('becomes fewer when two have had little to do for long: first the connections go, then the process', () => {
    expect(nextStep([idle(0), idle(1)], 'packed', 2, NOW)).toEqual({ type: 'move', from: 1, to: 0, share: 1 });
    expect(nextStep([idle(0), idle(1, 0)], 'packed', 2, NOW)).toEqual({ type: 'end', slot: 1 });
    expect(nextStep([member(0), idle(1)], 'packed', 2, NOW)).toBeUndefined();
  });

  it('lets another take part at once when the only one is gone or frozen', () => {
    expect(nextStep([member(1, { state: 'standby' })], 'packed', 0, NOW)).toEqual({ type: 'start', slot: 1 });
    expect(nextStep([member(0, { toldMs: NOW - 10_000 }), member(1, { state: 'standby' })], 'packed', 0, NOW)).toEqual({ type: 'start', slot: 1 });
  });

  it('brings callers to the process of their workers, unless that has no time left', () => {
    const callers = member(0, { load: { cpu: 0.1, connections: 4, polled: ['default/b'], strays: ['default/a', 'default/nobody'] } });
    const workers = member(1, { load: { cpu: 0.1, connections: 4, polled: ['default/a'], strays: [] } });
    const step = { type: 'gather', from: 0, to: 1, queues: ['default/a'] };
    expect(nextStep([callers, workers], 'packed', 2, NOW)).toEqual(step);
    expect(nextStep([callers, workers], 'spread', 2, NOW)).toEqual(step);
    expect(nextStep([callers, { ...workers, load: { ...workers.load, cpu: 0.9 } }], 'spread', 2, NOW)).toBeUndefined();
  });

  it('uses all at once when work is to be spread', () => {
    expect(nextStep([member(0), member(1, { state: 'standby' })], 'spread', 0, NOW)).toEqual({ type: 'start', slot: 1 });
  });

  it('remembers since when a process has been full or idle', () => {
    const first = sinceWhen({ fullSinceMs: undefined, idleSinceMs: 5 }, { cpu: 0.9, connections: 1 }, 10);
    expect(first).toEqual({ fullSinceMs: 10, idleSinceMs: undefined });
    expect(sinceWhen(first, { cpu: 0.85, connections: 1 }, 20)).toEqual({ fullSinceMs: 10, idleSinceMs: undefined });
    expect(sinceWhen(first, { cpu: 0.5, connections: 1 }, 20)).toEqual({ fullSinceMs: undefined, idleSinceMs: undefined });
  });
});
