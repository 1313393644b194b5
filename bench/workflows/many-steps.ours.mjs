/** A long history, to be replayed. Keep in step with many-steps.official.mjs. */
import { proxyActivities } from '@perdure/sdk/workflow';

const { step } = proxyActivities({ startToCloseTimeout: '1 minute' });

export async function manySteps(n) {
  let last;
  for (let i = 0; i < n; i++) last = await step(i);
  return last;
}
