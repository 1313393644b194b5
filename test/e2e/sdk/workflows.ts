/**
 * The workflows of the end-to-end suite. For the official worker the import is replaced by `@temporalio/workflow`: the same code
 * runs on both.
 */
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  startChild,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@perdure/sdk/workflow';
import type { Activities } from './activities.js';

const quick = { startToCloseTimeout: '20 seconds', retry: { initialInterval: 20, backoffCoefficient: 1.1 } } as const;
const { echo, failTimes, failFinally } = proxyActivities<Activities>(quick);
const { heartbeatUntilCancelled } = proxyActivities<Activities>({
  ...quick,
  heartbeatTimeout: '1 second',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});
const { progress } = proxyActivities<Activities>({ ...quick, heartbeatTimeout: '5 seconds' });
const { slow } = proxyActivities<Activities>({ startToCloseTimeout: 100, retry: { maximumAttempts: 1 } });
const local = proxyLocalActivities<Activities>({ startToCloseTimeout: '5 seconds', retry: { initialInterval: 10, maximumAttempts: 5 } });

export async function oneActivity(value: string): Promise<string> {
  return `got ${await echo(value)}`;
}

export async function retried(times: number): Promise<number> {
  return failTimes(workflowInfo().workflowId, times);
}

export async function failedActivity(): Promise<string> {
  try {
    return await failFinally('on purpose');
  } catch (err) {
    const { name, cause, retryState, activityType } = err as Error & {
      cause: Error & { type: string };
      retryState: string;
      activityType: string;
    };
    return [name, activityType, retryState, cause.name, cause.type, cause.message].join('|');
  }
}

export async function timedOutActivity(): Promise<string> {
  try {
    await slow();
    return 'done';
  } catch (err) {
    const { cause } = err as Error & { cause: Error & { timeoutType: string } };
    return `${cause.name}|${cause.timeoutType}`;
  }
}

export async function cancelledActivity(): Promise<string> {
  try {
    return await heartbeatUntilCancelled();
  } catch (err) {
    if (!isCancellation(err)) throw err;
    return CancellationScope.nonCancellable(() => echo('cleaned up'));
  }
}

export async function heartbeatDetails(): Promise<number[]> {
  return progress(workflowInfo().workflowId);
}

export async function localActivities(times: number): Promise<[number, string]> {
  return [await local.failTimes(`local ${workflowInfo().workflowId}`, times), await local.echo('local')];
}

export const add = defineSignal<[number]>('add');
export const finish = defineSignal('finish');
export const total = defineQuery<number>('total');
export const addAndTell = defineUpdate<number, [number]>('addAndTell');

/** Adds up what signals and updates bring, until it is told to finish. */
export async function counter(start = 0): Promise<number> {
  let sum = start;
  let done = false;
  setHandler(add, (value) => {
    sum += value;
  });
  setHandler(finish, () => {
    done = true;
  });
  setHandler(total, () => sum);
  setHandler(
    addAndTell,
    async (value) => {
      await echo('update');
      sum += value;
      return sum;
    },
    {
      validator: (value) => {
        if (value < 0) throw new Error('must not be negative');
      },
    },
  );
  await condition(() => done);
  return sum;
}

export async function timers(): Promise<string[]> {
  const order: string[] = [];
  await Promise.all([sleep(60).then(() => order.push('60')), sleep(20).then(() => order.push('20')), sleep(0).then(() => order.push('0'))]);
  order.push(String(await condition(() => false, 10)));
  return order;
}

export async function parent(ids: string[]): Promise<string[]> {
  const [first, ...others] = ids;
  const handle = await startChild(child, { workflowId: first!, args: ['started'] });
  const results = await Promise.all(others.map((workflowId) => executeChild(child, { workflowId, args: ['executed'] })));
  return [await handle.result(), ...results];
}

export async function child(how: string): Promise<string> {
  if (how === 'fail') throw ApplicationFailure.nonRetryable('child failed', 'ChildFailed');
  return `${how} by ${workflowInfo().parent?.workflowId}`;
}

export async function failingParent(): Promise<string> {
  try {
    return await executeChild(child, { args: ['fail'] });
  } catch (err) {
    const { name, cause } = err as Error & { cause: Error & { type: string } };
    return `${name}|${cause.type}|${cause.message}`;
  }
}

export async function signalOther(workflowId: string): Promise<void> {
  const handle = getExternalWorkflowHandle(workflowId);
  await handle.signal(add, 5);
  await handle.signal(finish);
}

export async function countdown(left: number, runs: string[] = []): Promise<string[]> {
  const seen = [...runs, workflowInfo().runId];
  if (left > 0) await continueAsNew<typeof countdown>(left - 1, seen);
  return seen;
}

export async function cancellable(): Promise<string> {
  try {
    await sleep('1 hour');
  } catch (err) {
    if (!isCancellation(err)) throw err;
    await CancellationScope.nonCancellable(() => sleep(1));
    throw err;
  }
  return 'never';
}

export async function failing(): Promise<void> {
  throw ApplicationFailure.create({ message: 'broken', type: 'Broken', nonRetryable: true, details: [1, 'two'] });
}

export async function deterministic(): Promise<[string, number, boolean, boolean]> {
  const begin = Date.now();
  await sleep(30);
  return [uuid4(), Math.random(), Date.now() - begin >= 30, patched('a patch')];
}

export async function searchable(): Promise<void> {
  upsertSearchAttributes([{ key: { name: 'CustomKeywordField', type: 'KEYWORD' }, value: 'blue' }]);
  await sleep(1);
}

/** Many steps with pauses, for a worker that is killed in the middle. */
export async function manySteps(count: number): Promise<string[]> {
  const results: string[] = [];
  for (let i = 0; i < count; i++) {
    results.push(await echo(String(i)));
    await sleep(5);
  }
  return results;
}

/** What `changed` in the other bundle was recorded as. */
export async function changing(): Promise<string> {
  await sleep(1);
  await echo('first');
  await condition(() => false, '1 hour');
  return 'done';
}
