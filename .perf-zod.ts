import { proxyActivities } from '@perdure/sdk/workflow';
import { z } from 'zod';
const Name = z.string().min(1);
const Order = z.object({ id: z.string(), amount: z.number().positive(), items: z.array(z.object({ sku: z.string(), n: z.number() })) });
const acts = proxyActivities<{ hello(n: string): Promise<string> }>({ startToCloseTimeout: '1m' });
export async function one(name: string) { Order.parse({ id: name, amount: 1, items: [] }); return acts.hello(Name.parse(name)); }
