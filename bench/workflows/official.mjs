/** The benchmark's workflows on the official SDK. Keep in step with ours.mjs. */
import { condition, defineQuery, defineSignal, defineUpdate, proxyActivities, setHandler, sleep } from '@temporalio/workflow';

const { step } = proxyActivities({ startToCloseTimeout: '1 minute' });
const go = defineSignal('go');
const gone = defineQuery('gone');
const add = defineUpdate('add');

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

/** Calls so many activities, one after the other. */
export async function steps(count) {
  for (let i = 0; i < count; i++) await step('x');
}

/** Sleeps until that moment. */
export async function sleepUntil(ms) {
  await sleep(Math.max(1, ms - Date.now()));
}

/** Answers queries and updates until it is told to go. */
export async function talkative() {
  let sum = 0;
  let isGone = false;
  setHandler(gone, () => isGone);
  setHandler(add, (n) => {
    sum += n;
    return sum;
  });
  setHandler(go, () => {
    isGone = true;
  });
  await condition(() => isGone);
  return sum;
}
