/** Slots: how many tasks a worker holds at once, by a number, by the machine, by a user's rules. */
import { expect, test } from 'vitest';
import { ResourceBasedController, ResourceBasedSlots } from '../../../worker-sdk/worker/resource-slots.js';
import { CustomSlots, FixedSlots } from '../../../worker-sdk/worker/slots.js';
import { tunerSuppliers } from '../../../worker-sdk/worker/tuner.js';

const running = new AbortController().signal;

test('a fixed number: waiters are served in order, releasing twice frees one', async () => {
  const slots = new FixedSlots(1);
  const first = (await slots.reserve(false, running))!;
  expect(slots.tryReserve(false)).toBeUndefined();
  const order: number[] = [];
  const waiting = [1, 2].map((n) => Promise.resolve(slots.reserve(false, running)).then((slot) => [order.push(n), slot!] as const));
  first.use({ type: 'activity', activityType: 'a' });
  expect(slots.used).toBe(1);
  first.release();
  first.release();
  const [, second] = await waiting[0]!;
  expect(order).toEqual([1]);
  expect(slots.used).toBe(0);
  second.release();
  await waiting[1];
  expect(order).toEqual([1, 2]);
});

test('a fixed number: whoever gives up waiting takes no slot from others', async () => {
  const slots = new FixedSlots(1);
  const first = (await slots.reserve(false, running))!;
  const abort = new AbortController();
  const leaving = slots.reserve(false, abort.signal);
  const staying = slots.reserve(false, running);
  abort.abort();
  expect(await leaving).toBeUndefined();
  first.release();
  expect(await staying).toBeDefined();
});

test('by the machine: the minimum always, more only with room, never above the maximum', async () => {
  let room = false;
  const slots = new ResourceBasedSlots({ hasRoom: () => room }, { minimumSlots: 2, maximumSlots: 3, rampThrottle: 0 }, false);
  const held = [slots.tryReserve(false)!, slots.tryReserve(false)!];
  expect(slots.tryReserve(false)).toBeUndefined();
  const waiting = slots.reserve(false, running);
  room = true;
  held.push((await waiting)!);
  expect(slots.tryReserve(false)).toBeUndefined();
  held[0]!.release();
  expect(slots.tryReserve(false)).toBeDefined();
});

test('by the machine: one after the other, so that the effect shows', () => {
  const slots = new ResourceBasedSlots({ hasRoom: () => true }, { minimumSlots: 1, maximumSlots: 9, rampThrottle: '1 hour' }, true);
  expect(slots.tryReserve(false)).toBeDefined();
  expect(slots.tryReserve(false)).toBeUndefined();
});

test('by the machine: targets are shares', () => {
  expect(ResourceBasedController.create({ targetCpuUsage: 1, targetMemoryUsage: 1 }).hasRoom()).toBe(true);
  expect(ResourceBasedController.create({ targetCpuUsage: 1, targetMemoryUsage: 0.000001 }).hasRoom()).toBe(false);
  expect(() => ResourceBasedController.create({ targetCpuUsage: 90, targetMemoryUsage: 1 })).toThrow('a share above 0');
});

test('by a user’s rules: the permit comes back with what the slot was used for', async () => {
  const log: unknown[] = [];
  const context = { slotType: 'activity', taskQueue: 'q', workerIdentity: 'me', workerBuildId: 'b' } as const;
  const slots = new CustomSlots(
    {
      type: 'custom',
      reserveSlot: async (ctx) => ({ from: ctx.taskQueue }),
      tryReserveSlot: () => null,
      markSlotUsed: (ctx) => log.push(['used', ctx]),
      releaseSlot: (ctx) => log.push(['released', ctx]),
    },
    context,
  );
  expect(slots.tryReserve(false)).toBeUndefined();
  const slot = (await slots.reserve(true, running))!;
  const slotInfo = { type: 'activity', activityType: 'a' } as const;
  slot.use(slotInfo);
  slot.release();
  const permit = { from: 'q' };
  expect(log).toEqual([
    ['used', { slotInfo, permit }],
    ['released', { slotInfo, permit }],
  ]);
});

test('by a user’s rules that miss the abort: nobody waits for them, and a permit that comes late is given back', async () => {
  let grant = (_permit: object): void => undefined;
  const released = new Promise<unknown>((resolve) => {
    const supplier = {
      type: 'custom' as const,
      reserveSlot: () => new Promise<object>((granted) => (grant = granted)),
      tryReserveSlot: () => null,
      markSlotUsed: () => undefined,
      releaseSlot: resolve,
    };
    const slots = new CustomSlots(supplier, { slotType: 'activity', taskQueue: 'q', workerIdentity: 'me', workerBuildId: 'b' });
    const abort = new AbortController();
    const leaving = slots.reserve(false, abort.signal);
    abort.abort();
    leaving.then((slot) => {
      expect(slot).toBeUndefined();
      grant({ number: 1 });
    });
  });
  expect(await released).toEqual({ slotInfo: undefined, permit: { number: 1 } });
});

test('a resource-based tuner shares one controller among the kinds of slots', () => {
  const { workflowTaskSlotSupplier, activityTaskSlotSupplier } = tunerSuppliers({
    tunerOptions: { targetCpuUsage: 0.9, targetMemoryUsage: 0.8 },
    activityTaskSlotOptions: { minimumSlots: 7 },
  });
  expect(activityTaskSlotSupplier).toMatchObject({ type: 'resource-based', minimumSlots: 7 });
  expect((workflowTaskSlotSupplier as { controller: unknown }).controller).toBe(
    (activityTaskSlotSupplier as { controller: unknown }).controller,
  );
});
