/** Workflows for the tests of traces; they run in the sandboxes of either SDK. */
import { trace } from '@opentelemetry/api';
import * as w from '@perdure/sdk/workflow';

const { greet, fail, rest } = w.proxyActivities<{
  greet(name: string): Promise<string>;
  fail(): Promise<void>;
  rest(ms: number): Promise<string>;
}>({
  startToCloseTimeout: '10s',
  retry: { maximumAttempts: 1 },
});
const { shout, slow } = w.proxyLocalActivities<{ shout(text: string): Promise<string>; slow(ms: number): Promise<string> }>({
  startToCloseTimeout: '10s',
});

export const go = w.defineSignal('go');
export const state = w.defineQuery<string>('state');
export const rename = w.defineUpdate<string, [string]>('rename');

export async function child(name: string): Promise<string> {
  return greet(name);
}

/** Waits for a signal between two activities, so that there is something to replay. */
export async function everything(name: string): Promise<string[]> {
  let signalled = false;
  let called = name;
  w.setHandler(go, () => {
    signalled = true;
  });
  w.setHandler(state, () => (signalled ? 'gone' : 'waiting'));
  w.setHandler(
    rename,
    async (next) => {
      called = next;
      return greet(next);
    },
    {
      validator: (next) => {
        if (next === '') throw new Error('A name must not be empty');
      },
    },
  );
  const results = [await greet(name)];
  await w.condition(() => signalled);
  await trace.getTracer('mine').startActiveSpan('own work', async (span) => {
    span.setAttribute('size', 3);
    results.push(await shout(called));
    span.end();
  });
  results.push(await w.executeChild(child, { args: [called], workflowId: `${w.workflowInfo().workflowId}-child` }));
  await w
    .getExternalWorkflowHandle(`${w.workflowInfo().workflowId}-other`)
    .signal('go')
    .catch(() => undefined);
  return results;
}

export async function failing(): Promise<void> {
  await fail();
}

export async function twice(round: number): Promise<number> {
  if (round < 2) await w.continueAsNew<typeof twice>(round + 1);
  return round;
}

/** Which of several things is first depends on the turns of the microtask queue between them. */
export async function order(): Promise<string> {
  const turns: string[] = [];
  const note = (text: string) => () => {
    turns.push(text);
  };
  let n = 0;
  const tick = async (text: string) => {
    await w.condition(() => n > 0);
    turns.push(text);
  };
  void tick('condition');
  const both = [greet('a').then(note('a')), shout('b').then(note('b')), w.sleep(1).then(note('timer'))];
  await Promise.race(both);
  n = 1;
  await Promise.all(both);
  return turns.join(' ');
}

/**
 * An activity and a child end while a local activity holds the task: the next one tells of both. Which of them is first is then a matter of
 * turns of the microtask queue, and what the run does next depends on it.
 */
export async function narrow(): Promise<string> {
  const nap = await w.startChild(napper, { workflowId: `${w.workflowInfo().workflowId}-nap` });
  const activity = rest(40).then(() => 'activity');
  const child = nap.result().then(() => 'child');
  const first = Promise.race([activity, child]);
  await w.sleep(1);
  await slow(400);
  if ((await first) === 'activity') await w.sleep(2);
  else await greet('child');
  return first;
}

export async function napper(): Promise<void> {
  await w.sleep(200);
}

/** Random numbers of a workflow; tracing must not change them. */
export async function randomness(): Promise<string> {
  const before = w.uuid4();
  await greet('x');
  return `${before} ${w.uuid4()}`;
}
