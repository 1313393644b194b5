import { proxyActivities, sleep } from '@perdure/sdk/workflow';

const { greet } = proxyActivities({ startToCloseTimeout: '10s' });

export async function hello(name) {
  const greeting = await greet(name);
  await sleep('20s'); // or 20 days
  return greeting;
}
