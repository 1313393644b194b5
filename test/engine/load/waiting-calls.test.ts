/** Long polls when there are too many: the oldest of whoever has most are answered early, and look to their use case as if the caller had gone. */
import { describe, expect, it } from 'vitest';
import type { Call } from '../../../server/engine/call.js';
import { SHED_AFTER_MS, WaitingCalls } from '../../../server/engine/load/waiting-calls.js';

const call = (): Call => ({
  method: 'PollWorkflowTaskQueue',
  deadline: Number.POSITIVE_INFINITY,
  clientName: '',
  clientVersion: '',
  cancelled: false,
  onCancelled: () => undefined,
});

function polls(limit: number) {
  const clock = { ms: 1_000_000 };
  const waiting = new WaitingCalls(limit, () => clock.ms);
  const early: string[] = [];
  return {
    waiting,
    clock,
    early,
    poll(name: string, namespace = 'a', sheddable = true) {
      const added = waiting.add(call(), namespace, sheddable);
      added.onCancelled(() => early.push(name));
      return added;
    },
  };
}

describe('waiting calls', () => {
  it('beyond the limit, the oldest of the namespace with most is answered early', () => {
    const { waiting, clock, early, poll } = polls(3);
    poll('calm', 'calm');
    const first = poll('storm 1', 'storm');
    poll('storm 2', 'storm');
    clock.ms += SHED_AFTER_MS;
    poll('storm 3', 'storm');
    expect(early).toEqual(['storm 1']);
    expect(first.cancelled).toBe(true);
    expect([waiting.size, waiting.shed]).toEqual([3, 1]);
    waiting.remove(first); // its answer leaves; it was no longer counted
    expect(waiting.size).toBe(3);
  });

  it('when all have just come, the newcomer is refused, but not the first poll of a small namespace', () => {
    const { waiting, poll, early } = polls(2);
    poll('storm 1', 'storm');
    poll('storm 2', 'storm');
    expect(() => poll('storm 3', 'storm')).toThrow('Too many calls wait');
    expect(waiting.refused).toBe(1);
    poll('calm 1', 'calm');
    expect(() => poll('calm 2', 'calm')).toThrow('Too many calls wait');
    expect(early).toEqual([]);
  });

  it('a caller that could not make sense of an early answer is not sent away', () => {
    const { clock, poll, early } = polls(2);
    poll('query', 'a', false);
    poll('poll', 'a');
    clock.ms += SHED_AFTER_MS;
    poll('next', 'a');
    expect(early).toEqual(['poll']);
  });

  it('short of memory, a quarter goes each time, and no more are taken than are left', () => {
    const { waiting, clock, poll } = polls(1_000);
    for (let i = 0; i < 100; i++) poll(String(i));
    clock.ms += SHED_AFTER_MS;
    waiting.adjust({ critical: true });
    expect([waiting.size, waiting.shed]).toEqual([75, 25]);
    waiting.adjust({ critical: true });
    expect(waiting.size).toBe(56);
    waiting.adjust({ critical: false });
    poll('welcome');
    expect(waiting.size).toBe(57);
  });
});
