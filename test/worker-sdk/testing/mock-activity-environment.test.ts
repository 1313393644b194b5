/** Activities in tests, without a worker. */
import { expect, test } from 'vitest';
import {
  activityInfo,
  cancellationDetails,
  cancellationSignal,
  CancelledFailure,
  getClient,
  heartbeat,
  sleep,
} from '../../../worker-sdk/activity/index.js';
import { MockActivityEnvironment } from '../../../worker-sdk/testing/index.js';

test('runs a function with arguments, info and heartbeats', async () => {
  const env = new MockActivityEnvironment({ attempt: 2, heartbeatDetails: 5 });
  const beats: unknown[] = [];
  env.on('heartbeat', (details) => beats.push(details));
  const count = async (from: number) => {
    heartbeat(from);
    heartbeat(activityInfo().heartbeatDetails);
    return activityInfo().attempt + from;
  };
  expect(await env.run(count, 40)).toBe(42);
  expect(beats).toEqual([40, 5]);
});

test('passes on what the function throws, synchronous functions too', async () => {
  const env = new MockActivityEnvironment();
  await expect(env.run(async () => Promise.reject(new RangeError('r')))).rejects.toThrow('r');
  expect(await env.run((a: number, b: number) => a + b, 1, 2)).toBe(3);
  expect(() => activityInfo()).toThrow('Activity context not found');
});

test('cancels', async () => {
  const env = new MockActivityEnvironment();
  const running = env.run(async () => {
    await sleep('1 hour').catch((err) => {
      expect(cancellationSignal().aborted).toBe(true);
      expect(cancellationDetails()).toMatchObject({ paused: true, cancelRequested: false });
      throw err;
    });
  });
  env.cancel('PAUSED', { paused: true });
  await expect(running).rejects.toBeInstanceOf(CancelledFailure);
});

test('has interceptors, and no client unless it is given one', async () => {
  const env = new MockActivityEnvironment(
    {},
    { interceptors: [() => ({ inbound: { execute: async (input, next) => `<${await next(input)}>` } })] },
  );
  expect(await env.run(async () => 'x')).toBe('<x>');
  await expect(env.run(async () => getClient())).rejects.toThrow('No client');
});
