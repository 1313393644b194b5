/** A small workflow with a large library. Keep in step with with-zod.ours.mjs. */
import { proxyActivities } from '@temporalio/workflow';
import { z } from 'zod';

const Order = z.object({
  id: z.string().min(1),
  amount: z.number().positive(),
  items: z.array(z.object({ sku: z.string(), count: z.int() })),
});
const { step } = proxyActivities({ startToCloseTimeout: '1 minute' });

export async function oneActivity(id) {
  const order = Order.parse({ id, amount: 1, items: [{ sku: 'a', count: 1 }] });
  return step(order.id);
}
