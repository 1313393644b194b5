/** Starts in line are found by their namespace and by their queue, and are in both lists or in neither. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fifo } from '../../../server/engine/load/fifo.js';
import { StartLine } from '../../../server/engine/load/start-line.js';

describe('first in, first out', () => {
  it('does what an array does', () => {
    const move = fc.oneof(fc.constant('push'), fc.constant('shift'), fc.constant('pop'), fc.nat({ max: 200 }));
    fc.assert(
      fc.property(fc.array(move, { maxLength: 1_000 }), (moves) => {
        const fifo = new Fifo<{ n: number }>();
        let model: { n: number }[] = [];
        moves.forEach((what, n) => {
          if (what === 'push' || n < 300) {
            const item = { n };
            fifo.push(item);
            model.push(item);
          } else if (what === 'shift') expect(fifo.shift()).toBe(model.shift());
          else if (what === 'pop') expect(fifo.pop()).toBe(model.pop());
          else {
            const item = model[Number(what)] ?? { n: -1 };
            expect(fifo.remove(item)).toBe(model.includes(item));
            model = model.filter((other) => other !== item);
          }
          expect([fifo.size, fifo.first]).toEqual([model.length, model[0]]);
        });
      }),
      { numRuns: 50 },
    );
  });
});

describe('a line of starts', () => {
  const item = (name: string, queue?: string) => ({ name, queue });

  it('gives the oldest of a queue, whatever became of those before', () => {
    const line = new StartLine<ReturnType<typeof item>>();
    const [a, b, c, d, e] = [item('a', 'x'), item('b', 'y'), item('c', 'x'), item('d', 'x'), item('e')];
    for (const each of [a, b, c]) line.push('one', each);
    line.push('two', d);
    line.push('two', e);
    expect(line.peekAt('x')).toBe(a);
    expect(line.shift()).toBe(a);
    expect(line.peekAt('x')).toBe(c);
    expect(line.remove('one', c)).toBe(true);
    expect(line.remove('one', c), 'twice').toBe(false);
    expect(line.peekAt('x')).toBe(d);
    expect(line.takeWhile((each) => each !== e)).toEqual([d, b]);
    expect([line.hasAt('x'), line.hasAt('y'), [...line.queues]]).toEqual([false, false, []]);
    expect([line.size, line.shift()]).toEqual([1, e]);
  });

  it('forgets who had to give way', () => {
    const line = new StartLine<ReturnType<typeof item>>();
    for (let i = 0; i < 3; i++) line.push('storm', item(`${i}`, 'x'));
    expect(line.takeFromLargest('calm')?.name).toBe('2');
    while (line.shift());
    expect([...line.queues]).toEqual([]);
  });
});
