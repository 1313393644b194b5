/** One guard for all code that is ready at the same time: each is answered for itself, and only what does not end is cut off. */
import { expect, test } from 'vitest';
import { watchdog } from '../../../worker-sdk/sandbox/terminator.js';
import { CutOffError, guardTogether } from '../../../worker-sdk/sandbox/time-guard.js';
import { until } from '../../helpers/until.js';

test('all that is ready runs in its order, and each gets its own result or error', async () => {
  const order: number[] = [];
  const step = (n: number) => () => {
    order.push(n);
    if (n === 2) throw new RangeError('two');
    return n;
  };
  const results = await Promise.allSettled([1, 2, 3].map((n) => guardTogether(1000, step(n))));
  expect(order).toEqual([1, 2, 3]);
  expect(results.map((result) => (result.status === 'fulfilled' ? result.value : String(result.reason)))).toEqual([
    1,
    'RangeError: two',
    3,
  ]);
});

test('what does not end is cut off alone', async () => {
  const forever = () => {
    for (;;);
  };
  const results = await Promise.allSettled([
    guardTogether(50, () => 'before'),
    guardTogether(50, forever),
    guardTogether(50, () => 'after'),
  ]);
  expect(results[0]).toMatchObject({ value: 'before' });
  expect(results[1]).toMatchObject({ reason: expect.any(CutOffError) });
  expect(results[2]).toMatchObject({ value: 'after' });
});

test('long pieces of code do not use up the time of others', async () => {
  const busy = (ms: number) => () => {
    for (const end = performance.now() + ms; performance.now() < end; );
    return ms;
  };
  expect(await Promise.all([1, 2, 3, 4, 5, 6].map(() => guardTogether(100, busy(60))))).toEqual([60, 60, 60, 60, 60, 60]);
});

test('a limit of 0 is none', async () => {
  expect(await guardTogether(0, () => 'free')).toBe('free');
});

test('with the watchdog: what is queued within a guard is executed behind it, and guarded by its own', async () => {
  const forever = () => {
    for (;;);
  };
  await until('the watchdog to be proven', async () => {
    await guardTogether(1000, () => 0);
    return watchdog.isProven;
  });
  let inner: Promise<unknown> | undefined;
  const outer = await guardTogether(1000, () => {
    process.nextTick(() => {
      inner = guardTogether(1000, forever);
      inner.catch(() => undefined);
    });
    return 'outer';
  });
  expect(outer).toBe('outer');
  await expect(inner).rejects.toBeInstanceOf(CutOffError);
  const results = await Promise.allSettled([
    guardTogether(1000, () => 'before'),
    guardTogether(1000, forever),
    guardTogether(1000, () => 'after'),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});
