/** Tasks that a node keeps for its own workers: for no longer than its claim holds, however long the claim took to be written. */
import { expect, it } from 'vitest';
import { takeTasks } from '../../server/engine/take-tasks.js';
import type { EngineNode } from '../helpers/engine-node.js';
import { until } from '../helpers/until.js';
import { useNode } from '../helpers/use-node.js';

let node: EngineNode;
useNode((made) => {
  node = made;
});

/** The database takes so long for the next call of a method, by the node's clock. */
function takesLong(target: object, method: string, ms: number): void {
  const methods = target as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const real = methods[method]!;
  methods[method] = async (...args) => {
    methods[method] = real;
    const result = await real.apply(target, args);
    node.clock.forward(ms);
    return result;
  };
}

/** Somebody polls the queue, so that its tasks are kept, and goes away. */
async function pollAndLeave(queue: string): Promise<void> {
  let leave = (): void => {};
  const poll = node.rpc('PollWorkflowTaskQueue', { taskQueue: { name: queue } }, 'default', { onCancelled: (end) => (leave = end) });
  await until('the poll to wait', () => node.engine.queues.waitingPolls === 1);
  const name = { namespaceId: node.engine.registry.peek('default')!.id, kind: 1 as const, queue };
  await until('its look for older tasks to be over', () => node.engine.queues.find(name)?.fetching === false);
  leave();
  await poll;
}

const claims = async (): Promise<number[]> =>
  (await node.engine.database.query<{ until: number }>({ text: 'select claimed_until_ms as until from tasks' })).map(({ until }) => until);

it('a task that was made by a commit which took longer than a claim holds is not handed out on its old claim', async () => {
  await pollAndLeave('slow-commit');
  takesLong(node.engine.committer, 'commit', 15_000);
  await node.start('slow-commit');
  expect(node.engine.queues.keptTasks).toBe(1);
  expect((await claims())[0]).toBeLessThan(node.clock.now());
  const fetched: string[] = [];
  const claim = node.engine.tasks.claim.bind(node.engine.tasks);
  node.engine.tasks.claim = async (queue, ...more) => {
    fetched.push(queue.queue);
    return claim(queue, ...more);
  };
  await node.step('slow-commit');
  expect(fetched).toEqual(['slow-commit']);
  node.engine.tasks.claim = claim;
});

it('tasks that were claimed by a statement which took longer than a claim holds are claimed anew', async () => {
  await node.start('slow-claim');
  takesLong(node.engine.tasks, 'claim', 15_000);
  await takeTasks(node.engine, { namespaceId: node.engine.registry.peek('default')!.id, kind: 1, queue: 'slow-claim' }, 1);
  expect(node.engine.queues.keptTasks).toBe(1);
  await node.step('slow-claim');
  expect(await claims()).toEqual([]);
});
