import { proxyActivities } from '@temporalio/workflow';
const acts = proxyActivities<{ hello(n: number): Promise<string> }>({ startToCloseTimeout: '1m' });
export async function loop(n: number) { let s = ''; for (let i = 0; i < n; i++) s = await acts.hello(i); return s; }
