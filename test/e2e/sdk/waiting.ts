/** Workflows that wait for long. For the official worker the import is replaced by `@temporalio/workflow`. */
// biome-ignore lint/style/useNodejsImportProtocol: the official bundler knows it by this name only.
import assert from 'assert';
import { condition, defineQuery, defineSignal, executeChild, proxyActivities, setHandler, sleep } from '@perdure/sdk/workflow';

export interface WaitingActivities {
  remind(number: number): Promise<void>;
  slow(): Promise<void>;
  flaky(failures: number): Promise<number>;
}

const { remind, slow, flaky } = proxyActivities<WaitingActivities>({
  startToCloseTimeout: '1 hour',
  retry: { initialInterval: '1 hour', backoffCoefficient: 2, maximumInterval: '1 day' },
});

const DAY_MS = 86_400_000;

export const sent = defineQuery<number>('sent');
export const answer = defineSignal<[string]>('answer');

/** Days that have passed for the workflow. */
export async function month(): Promise<number> {
  const before = Date.now();
  await sleep('30 days');
  return Math.round((Date.now() - before) / DAY_MS);
}

export async function parentOfMonth(): Promise<number> {
  return (await executeChild(month)) + (await executeChild(month));
}

export async function reminders(days: number): Promise<string> {
  let count = 0;
  let answered: string | undefined;
  setHandler(sent, () => count);
  setHandler(answer, (text) => {
    answered = text;
  });
  while (count < days && !(await condition(() => answered !== undefined, '1 day'))) await remind(++count);
  return answered ?? 'nobody answered';
}

export async function race(): Promise<string> {
  return Promise.race([sleep('30 minutes').then(() => 'timer'), slow().then(() => 'activity')]);
}

export async function patient(failures: number): Promise<{ attempts: number; hours: number }> {
  const before = Date.now();
  const attempts = await flaky(failures);
  return { attempts, hours: Math.round((Date.now() - before) / 3_600_000) };
}

export async function wrong(): Promise<void> {
  assert.equal(1 + 1, 3);
}
