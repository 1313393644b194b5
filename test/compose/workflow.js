// A workflow that waits, so that it is still open when the containers go down: an activity, a signal, an activity.
import { condition, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';

const { note } = proxyActivities({ startToCloseTimeout: '30s' });

export const goOn = defineSignal('go-on');

export async function waits(name) {
  let told = false;
  setHandler(goOn, () => {
    told = true;
  });
  const before = await note(`${name} before`);
  await condition(() => told);
  return [before, await note(`${name} after`)];
}
