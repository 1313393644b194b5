/**
 * Workflows whose histories depend on the finest order of things. Either worker runs them, and the other replays what came of it. For the official
 * worker the import is replaced by `@temporalio/workflow`.
 */
import * as w from '@perdure/sdk/workflow';

interface Activities {
  echo(text: string): Promise<string>;
  flaky(key: string, times: number): Promise<string>;
  slow(ms: number): Promise<string>;
}
const retry = { initialInterval: 20, backoffCoefficient: 1 };
const { echo } = w.proxyActivities<Activities>({ startToCloseTimeout: '10s', retry });
const cancellable = w.proxyActivities<Activities>({ startToCloseTimeout: '10s', heartbeatTimeout: '1s', cancellationType: 'TRY_CANCEL' });
const waited = w.proxyActivities<Activities>({
  startToCloseTimeout: '10s',
  heartbeatTimeout: '1s',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});
const local = w.proxyLocalActivities<Activities>({ startToCloseTimeout: '5s', retry: { ...retry, maximumAttempts: 5 } });
const localWithTimers = w.proxyLocalActivities<Activities>({
  startToCloseTimeout: '5s',
  localRetryThreshold: 50,
  retry: { initialInterval: 200, backoffCoefficient: 1, maximumAttempts: 5 },
});

export const poke = w.defineSignal<[string]>('poke');
export const ask = w.defineUpdate<string, [string]>('ask');
export const seen = w.defineQuery<string[]>('seen');

const key = () => w.workflowInfo().runId;

/** Patches before, between and after waits, in a loop, and in handlers. */
export async function patches(): Promise<string[]> {
  const log: string[] = [];
  w.setHandler(poke, (text) => {
    if (w.patched('in-handler')) log.push(`poked ${text}`);
  });
  if (w.patched('first')) log.push(await echo('first'));
  for (let i = 0; i < 3; i++) {
    if (w.patched('loop')) await w.sleep(5 + i);
    if (w.patched(`loop-${i}`)) log.push(await local.echo(`loop ${i}`));
  }
  w.deprecatePatch('gone');
  await Promise.all([echo('a'), w.patched('parallel') ? echo('b') : w.sleep(1)]);
  return log;
}

/** Conditions with timeouts against signals, timers and each other. */
export async function races(): Promise<string[]> {
  const log: string[] = [];
  let pokes = 0;
  w.setHandler(poke, async (text) => {
    pokes++;
    log.push(text);
    if (pokes % 2 === 0) await w.sleep(3);
    log.push(`${text}!`);
  });
  w.setHandler(seen, () => log);
  const waits = [10, 25, 40].map(async (ms) => {
    const met = await w.condition(() => pokes >= ms / 10, ms);
    log.push(`${ms} ${met}`);
  });
  const winner = await Promise.race([
    w.sleep(15).then(() => 'timer'),
    w.condition(() => pokes > 1).then(() => 'pokes'),
    echo('x').then(() => 'activity'),
  ]);
  log.push(winner);
  await Promise.all(waits);
  await w.condition(() => pokes >= 5, '5s');
  await w.condition(w.allHandlersFinished);
  return log;
}

/** Scopes in scopes: cancelled by hand, by a deadline, from outside; shielded parts; clean-up. */
export async function scopes(): Promise<string[]> {
  const log: string[] = [];
  const note = (name: string, promise: Promise<unknown>) =>
    promise.then(
      () => log.push(`${name} done`),
      (error) => log.push(`${name} ${w.isCancellation(error) ? 'cancelled' : (error as Error).name}`),
    );
  const outer = new w.CancellationScope();
  const inner = outer.run(async () => {
    const all = [
      note('sleep', w.sleep('1 minute')),
      note('activity', cancellable.slow(30_000)),
      note('waited', waited.slow(30_000)),
      note('local', local.slow(80)),
      note(
        'shield',
        w.CancellationScope.nonCancellable(() => w.sleep(20).then(() => echo('shielded'))),
      ),
      note(
        'deadline',
        w.CancellationScope.withTimeout(10, () => w.sleep('1 minute')),
      ),
      note('child', w.executeChild(napper, { workflowId: `${w.workflowInfo().workflowId}-napper`, args: ['1 minute'] })),
    ];
    await Promise.all(all);
  });
  await w.sleep(60);
  outer.cancel();
  await note('inner', inner);
  await w.CancellationScope.nonCancellable(() => echo('clean'));
  const handle = setTimeout(() => log.push('never'), 10);
  clearTimeout(handle);
  await new Promise<void>((resolve) => setTimeout(resolve, 5));
  try {
    await w.CancellationScope.cancellable(async () => {
      const nested = w.CancellationScope.current();
      void w.sleep(5).then(() => nested.cancel());
      await w.CancellationScope.nonCancellable(() => w.sleep(15));
      await w.sleep(1);
    });
  } catch (error) {
    log.push(String(w.isCancellation(error)));
  }
  return log;
}

/** Local activities: at once, tried again here and by timers, cancelled, in the middle of signals and updates. */
export async function locals(): Promise<string[]> {
  const log: string[] = [];
  w.setHandler(poke, async (text) => {
    log.push(await local.echo(text));
  });
  w.setHandler(ask, async (text) => {
    const [a, b] = await Promise.all([local.echo(text), echo(text)]);
    log.push(`asked ${a}`);
    return a + b;
  });
  log.push(...(await Promise.all([local.echo('1'), localWithTimers.flaky(`${key()}-t`, 2), local.flaky(`${key()}-l`, 2), local.slow(30)])));
  const scope = new w.CancellationScope();
  const cancelled = scope.run(() => local.slow(2_000)).catch((error) => w.isCancellation(error));
  await w.sleep(10);
  scope.cancel();
  log.push(String(await cancelled));
  await Promise.race([local.slow(50), w.sleep(10)]);
  await w.condition(() => log.length > 9, '3s');
  await w.condition(w.allHandlersFinished);
  return log;
}

/** Updates that come together: refused, quick, slow, with timers, while the run does something else. */
export async function updates(): Promise<string[]> {
  const log: string[] = [];
  w.setHandler(
    ask,
    async (text) => {
      log.push(`begin ${text}`);
      if (text.startsWith('slow')) await w.sleep(10);
      if (text.startsWith('work')) await echo(text);
      if (text.startsWith('fail')) throw w.ApplicationFailure.nonRetryable(text);
      log.push(`end ${text}`);
      return `${text} after ${log.length}`;
    },
    {
      validator: (text) => {
        if (text.startsWith('bad')) throw new Error('refused');
      },
    },
  );
  w.setHandler(poke, (text) => {
    log.push(text);
  });
  for (let i = 0; i < 5; i++) {
    await Promise.race([echo(`step ${i}`), w.sleep(50)]);
    await w.sleep(3);
  }
  await w.condition(() => log.includes('stop'), '5s');
  await w.condition(w.allHandlersFinished);
  return log;
}

/** Children: started, signalled, cancelled, failing, abandoned; signals and cancels to others that are not there. */
export async function family(): Promise<string[]> {
  const log: string[] = [];
  const id = w.workflowInfo().workflowId;
  const listener = await w.startChild(listening, { workflowId: `${id}-listener` });
  await Promise.all([listener.signal(poke, 'one'), listener.signal(poke, 'two')]);
  const failing = w.executeChild(failingChild, { workflowId: `${id}-failing` }).catch((error) => log.push((error as Error).name));
  const twice = w.startChild(napper, { workflowId: `${id}-listener`, args: ['1s'] }).catch((error) => log.push((error as Error).name));
  const unknown = w
    .getExternalWorkflowHandle(`${id}-nobody`)
    .signal(poke, 'x')
    .catch(() => log.push('nobody'));
  const cancelled = w
    .getExternalWorkflowHandle(`${id}-nobody`)
    .cancel()
    .catch(() => log.push('nobody to cancel'));
  const scope = new w.CancellationScope();
  const early = scope
    .run(() => w.executeChild(napper, { workflowId: `${id}-early`, args: ['1 minute'], cancellationType: 'TRY_CANCEL' }))
    .catch((error) => log.push(String(w.isCancellation(error))));
  scope.cancel();
  await w.startChild(napper, { workflowId: `${id}-abandoned`, args: ['10ms'], parentClosePolicy: 'ABANDON' });
  await Promise.all([failing, twice, unknown, cancelled, early]);
  await listener.signal(poke, 'stop');
  log.push(await listener.result());
  return log.sort();
}

export async function napper(time: w.Duration): Promise<void> {
  await w.sleep(time);
}
export async function listening(): Promise<string> {
  const heard: string[] = [];
  w.setHandler(poke, (text) => {
    heard.push(text);
  });
  await w.condition(() => heard.includes('stop'));
  return heard.join(' ');
}
export async function failingChild(): Promise<void> {
  await w.sleep(1);
  throw w.ApplicationFailure.nonRetryable('no');
}

/** Runs that go on in the next one with what they heard, and memo, attributes and random ids. */
export async function chain(round: number, heard: string[] = []): Promise<string[]> {
  w.setHandler(poke, (text) => {
    heard.push(text);
  });
  if (w.patched('chain')) await w.sleep(5);
  w.upsertMemo({ round, id: w.uuid4() });
  await w.condition(() => heard.length > round, 300);
  await echo(w.uuid4());
  if (round < 2) return w.continueAsNew<typeof chain>(round + 1, heard);
  return heard;
}
