import { proxyActivities } from '@perdure/sdk/workflow';
const acts = proxyActivities<{ hello(n: string): Promise<string> }>({ startToCloseTimeout: '1m' });
export async function one(name: string) { return acts.hello(name); }
