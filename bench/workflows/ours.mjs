/** The benchmark's workflows on our SDK. Keep in step with official.mjs. */
import { condition, defineSignal, proxyActivities, setHandler } from '@perdure/sdk/workflow';

const { step } = proxyActivities({ startToCloseTimeout: '1 minute' });
const go = defineSignal('go');

export async function oneActivity(input) {
  return step(input);
}

export async function tenSteps(input) {
  let value = input;
  for (let i = 0; i < 10; i++) value = await step(value);
  return value;
}

export async function untilSignal() {
  let gone = false;
  setHandler(go, () => {
    gone = true;
  });
  await condition(() => gone);
  return 'done';
}
