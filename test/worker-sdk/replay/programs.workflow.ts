/**
 * A workflow that executes programs: trees of waits, activities, scopes and races. Whatever completes calls an activity named after its place in the
 * tree, so that the order in which things happen stands in the history. For the official worker the import is replaced.
 */
import {
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  deprecatePatch,
  isCancellation,
  patched,
  proxyActivities,
  setHandler,
  sleep,
  Trigger,
  uuid4,
} from '@perdure/sdk/workflow';

export type Program =
  | { op: 'sleep' | 'activity' | 'condition' | 'conditionTimeout' | 'trigger' | 'timeout' | 'tick' | 'patch' | 'waitingActivity' | 'abandonedActivity' }
  | { op: 'all' | 'race' | 'sequence'; of: Program[] }
  | { op: 'scope' | 'shield' | 'try' | 'scopeTimeout' | 'detached'; of: Program }
  | { op: 'cancelAfter'; first: Program; of: Program };

const options = { startToCloseTimeout: '1 minute' } as const;
const act = proxyActivities(options);
const waiting = proxyActivities({ ...options, cancellationType: 'WAIT_CANCELLATION_COMPLETED' });
const abandoned = proxyActivities({ ...options, cancellationType: 'ABANDON' });

export const poke = defineSignal<[string]>('poke');
export const tell = defineUpdate<string, [string]>('tell');
export const seen = defineQuery<number>('seen');

export async function program(tree: Program): Promise<string> {
  let pokes = 0;
  let trigger = new Trigger<void>();
  const note = (path: string) => void abandoned[`at ${path}`]!().catch(() => undefined);
  setHandler(poke, async (what) => {
    pokes++;
    trigger.resolve();
    trigger = new Trigger();
    note(`poke ${what}`);
    await null;
    note(`poked ${what}`);
    if (pokes % 3 === 0) await sleep(1);
  });
  setHandler(
    tell,
    async (what) => {
      note(`tell ${what}`);
      if (what.endsWith('1')) await sleep(1);
      pokes++;
      return uuid4();
    },
    { validator: (what) => void (what === 'bad' && fail()) },
  );
  setHandler(seen, () => pokes);

  const run = async (node: Program, path: string): Promise<void> => {
    try {
      await step(node, path);
    } finally {
      note(path);
    }
  };
  const step = async (node: Program, path: string): Promise<unknown> => {
    const inner = (child: Program, name: string | number) => run(child, `${path}.${name}`);
    switch (node.op) {
      case 'sleep':
        return sleep(10);
      case 'activity':
        return act[path]!();
      case 'waitingActivity':
        return waiting[path]!();
      case 'abandonedActivity':
        return abandoned[path]!();
      case 'condition': {
        const until = pokes + 1;
        return condition(() => pokes >= until);
      }
      case 'conditionTimeout': {
        const until = pokes + 1;
        return condition(() => pokes >= until, '1 hour');
      }
      case 'trigger':
        return trigger;
      case 'timeout':
        return new Promise((resolve) => setTimeout(resolve, 10));
      case 'tick':
        return null;
      case 'patch':
        if (path.endsWith('1')) deprecatePatch('old');
        else patched('new');
        return;
      case 'all':
        return Promise.all(node.of.map(inner));
      case 'race':
        return Promise.race(node.of.map(inner));
      case 'sequence':
        for (const [index, child] of node.of.entries()) await inner(child, index);
        return;
      case 'scope':
        return CancellationScope.cancellable(() => inner(node.of, 's'));
      case 'shield':
        return CancellationScope.nonCancellable(() => inner(node.of, 'n'));
      case 'scopeTimeout':
        return CancellationScope.withTimeout(50, () => inner(node.of, 't'));
      case 'try':
        try {
          return await inner(node.of, 'y');
        } catch (error) {
          return isCancellation(error);
        }
      case 'detached':
        inner(node.of, 'd').catch(() => undefined);
        return;
      case 'cancelAfter': {
        const scope = new CancellationScope();
        const work = scope.run(() => inner(node.of, 'w'));
        work.catch(() => undefined);
        await inner(node.first, 'f');
        scope.cancel();
        return work;
      }
    }
  };
  await run(tree, 'p');
  return 'end';
}

function fail(): never {
  throw new Error('refused');
}
