/** Polls that wait for tasks of which nobody told them: each node looks from time to time, with one question for all its queues. */
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { sweepBacklogOnce } from '../../server/loops/backlog-sweep.js';
import { EngineNode } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

const database = useDatabase();
const nodes: EngineNode[] = [];
const newNode = (): EngineNode => {
  const node = new EngineNode(database.url);
  nodes.push(node);
  return node;
};

beforeAll(async () => {
  const node = new EngineNode(database.url);
  await node.addNamespace('default');
  await node.close();
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.close();
});

/** Polls of queues of which each has looked once, and found nothing. */
async function waitingPolls(node: EngineNode, queues: readonly string[]): Promise<Promise<{ workflowExecution?: { workflowId: string } }>[]> {
  const asked = vi.spyOn(node.engine.tasks, 'claim');
  const polls = queues.map((name) => node.rpc('PollWorkflowTaskQueue', { taskQueue: { name } }));
  await until('each to have looked', () => asked.mock.calls.length === queues.length);
  await Promise.all(asked.mock.results.map(({ value }) => value as Promise<unknown>));
  asked.mockRestore();
  await until('them to wait', () => node.engine.queues.lookOver().length === queues.length);
  return polls;
}

it('finds what another node put there without a word, and asks about the queues all at once', async () => {
  const here = newNode();
  const other = newNode();
  const names = Array.from({ length: 20 }, (_, n) => `queue-${n}`);
  const polls = await waitingPolls(here, names);
  const statements = vi.spyOn(here.engine.database, 'query');
  await sweepBacklogOnce(here.engine);
  expect(statements).toHaveBeenCalledTimes(1);

  await other.start('told-to-nobody', { taskQueue: { name: 'queue-7' } });
  await sweepBacklogOnce(here.engine);
  expect((await polls[7])?.workflowExecution?.workflowId).toBe('told-to-nobody');
  expect(here.engine.queues.waitingPolls).toBe(19);
});

it('leaves what another node has claimed until that claim ends', async () => {
  const here = newNode();
  const other = newNode();
  await other.start('claimed', { taskQueue: { name: 'claimed' } });
  const namespace = await other.engine.registry.require('default');
  const queue = { namespaceId: namespace.id, kind: 1 as const, queue: 'claimed' };
  const nowMs = here.clock.now();
  expect(await other.engine.tasks.claim(queue, 10, nowMs, nowMs + 5_000)).toHaveLength(1);
  const [poll] = await waitingPolls(here, ['claimed']);
  expect(await here.engine.tasks.ready([queue], nowMs)).toEqual([]);
  here.clock.forward(5_001);
  await sweepBacklogOnce(here.engine);
  expect((await poll)?.workflowExecution?.workflowId).toBe('claimed');
});

it('a queue at which nobody waits is looked at by its next poll', async () => {
  const here = newNode();
  const other = newNode();
  await here.start('first', { taskQueue: { name: 'visited' } });
  await here.step('visited');
  await other.start('second', { taskQueue: { name: 'visited' } });
  await sweepBacklogOnce(here.engine);
  expect((await here.poll('visited')).workflowExecution?.workflowId).toBe('second');
});
