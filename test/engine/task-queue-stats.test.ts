/** What DescribeTaskQueue tells of a queue, also of what happens at other nodes, and the hints that polls get for the number of pollers. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { enums } from '../../server/core/api.js';
import { watchNeighboursOnce } from '../../server/loops/neighbour-watch.js';
import { queueReporter } from '../../server/loops/queue-reporter.js';
import { Nodes } from '../../server/storage/nodes.js';
import { command, EngineNode, ManualClock } from '../helpers/engine-node.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

const TYPE = enums.TaskQueueType;

let database: TestDatabase;
let clock: ManualClock;
let nodes: EngineNode[] = [];

const newNode = (others = false): EngineNode => {
  const node = new EngineNode(database.url, { clock, others });
  nodes.push(node);
  return node;
};
beforeEach(async () => {
  database = await createDatabase();
  clock = new ManualClock();
});
afterEach(async () => {
  for (const node of nodes) node.engine.queues.close();
  await Promise.all(nodes.map((node) => node.close()));
  nodes = [];
  await database.drop();
});

const describeQueue = (node: EngineNode, taskQueueType: number, request: object = {}) =>
  node.rpc('DescribeTaskQueue', { taskQueue: { name: 'work' }, taskQueueType, reportStats: true, ...request });
const work = (priorityKey: number) => ({ taskQueue: { name: 'work' }, priority: { priorityKey } });

it('rates, backlog and age, of each priority and of all together', async () => {
  const node = newNode();
  await node.addNamespace('default');
  await node.start('a', work(1));
  clock.forward(4_000);
  await node.start('b', work(5));
  await node.start('c', work(5));
  clock.forward(6_000);
  await node.poll('work');
  const { stats, statsByPriorityKey } = await describeQueue(node, TYPE.TASK_QUEUE_TYPE_WORKFLOW);
  expect(stats).toMatchObject({ approximateBacklogCount: 2, approximateBacklogAge: { seconds: 6 }, rateLimitingActive: false });
  expect(stats.tasksAddRate).toBeCloseTo(1 / 10 + 2 / 6);
  expect(Object.keys(statsByPriorityKey)).toEqual(['1', '5']);
  expect(statsByPriorityKey[1]).toMatchObject({ approximateBacklogCount: 0, tasksAddRate: 0.1, tasksDispatchRate: 0.1 });
  expect(statsByPriorityKey[5]).toMatchObject({ approximateBacklogCount: 2, tasksDispatchRate: 0 });
  const { versionsInfo } = await describeQueue(node, 0, { apiMode: 1 });
  expect(versionsInfo[''].typesInfo[1].stats.approximateBacklogCount).toBe(2);
  expect(versionsInfo[''].typesInfo[2].stats.approximateBacklogCount).toBe(0);
  clock.forward(60_000);
  expect((await describeQueue(node, TYPE.TASK_QUEUE_TYPE_WORKFLOW)).stats).toMatchObject({ tasksAddRate: 0, tasksDispatchRate: 0 });
});

it('pollers and rates of other nodes are told, and forgotten with their node', async () => {
  const [one, two] = [newNode(true), newNode(true)];
  await one.addNamespace('default');
  const known = new Nodes(one.engine.database);
  const seen = () => Promise.all(nodes.map((node) => known.seen({ id: node.engine.nodeId, host: 'h', pid: 1, startedMs: 0 }, clock.now(), false)));
  await seen();
  const tell = queueReporter(two.engine);
  const deploymentOptions = { deploymentName: 'd', buildId: '7', workerVersioningMode: 1 };
  void two.rpc('PollWorkflowTaskQueue', { taskQueue: { name: 'work' }, identity: 'far', deploymentOptions });
  await until('the poll', () => two.engine.queues.waitingPolls === 1);
  clock.forward(1_000);
  await two.start('a', work(2));
  clock.forward(1_000);
  await tell();
  const pollers = async () =>
    (await describeQueue(one, TYPE.TASK_QUEUE_TYPE_WORKFLOW)).pollers as { identity: string; deploymentOptions: object }[];
  expect(await pollers()).toMatchObject([{ identity: 'far', deploymentOptions }]);
  const { stats } = await describeQueue(one, TYPE.TASK_QUEUE_TYPE_WORKFLOW);
  expect(stats).toMatchObject({ approximateBacklogCount: 0 });
  expect(stats.tasksAddRate).toBeGreaterThan(0);
  clock.forward(20_000);
  await known.seen({ id: one.engine.nodeId, host: 'h', pid: 1, startedMs: 0 }, clock.now(), false);
  expect(await pollers()).toEqual([]);
  await seen();
  expect(await pollers()).toHaveLength(1);
  clock.forward(6 * 60_000);
  await seen();
  await tell();
  expect(await pollers()).toEqual([]);
});

it('nodes that poll a queue share its limit', async () => {
  const [one, two] = [newNode(true), newNode(true)];
  await one.addNamespace('default');
  await one.rpc('UpdateTaskQueueConfig', {
    taskQueue: 'work',
    taskQueueType: TYPE.TASK_QUEUE_TYPE_ACTIVITY,
    updateQueueRateLimit: { rateLimit: { requestsPerSecond: 8 } },
  });
  const got = [0, 0];
  const poll = async (node: EngineNode, at: number): Promise<void> => {
    const task = await node.rpc('PollActivityTaskQueue', { taskQueue: { name: 'work' } });
    if (!task.taskToken?.length) return;
    got[at]!++;
    await poll(node, at);
  };
  nodes.forEach((node, at) => {
    for (let i = 0; i < 20; i++) void poll(node, at);
  });
  for (const node of nodes) await until('polls', () => node.engine.queues.waitingPolls === 20);
  for (const node of [one, two, one]) {
    await watchNeighboursOnce(node.engine);
    await queueReporter(node.engine)();
  }
  await one.start('wf');
  await one.step(
    'wf',
    Array.from({ length: 40 }, (_, i) => command.activity(`a${i}`, 'work')),
  );
  const sweep = async (total: number) => {
    await until(`${total} tasks, not ${got}`, () => {
      for (const node of nodes) node.engine.queues.backlogEverywhere();
      return got[0]! + got[1]! >= total;
    });
  };
  await sweep(10); // each a burst of its half, and one more
  clock.forward(1_000);
  await sweep(18);
  expect(got).toEqual([9, 9]);
});

it('a poll is told whether more polls would help', async () => {
  const node = newNode();
  await node.addNamespace('default');
  const hint = async (task: Promise<{ pollerScalingDecision?: { pollRequestDeltaSuggestion: number } }>) =>
    (await task).pollerScalingDecision?.pollRequestDeltaSuggestion;
  await node.start('a');
  clock.forward(300);
  expect(await hint(node.rpc('PollWorkflowTaskQueue', { taskQueue: { name: 'a' } }))).toBe(1);
  const idle = node.rpc('PollWorkflowTaskQueue', { taskQueue: { name: 'b' } });
  await until('the poll', () => node.engine.queues.waitingPolls === 1);
  clock.forward(1_000);
  await node.start('b');
  expect(await hint(idle)).toBe(-1);
  const busy = node.rpc('PollWorkflowTaskQueue', { taskQueue: { name: 'c' } });
  await until('the poll', () => node.engine.queues.waitingPolls === 1);
  await node.start('c');
  expect(await hint(busy)).toBeUndefined();
  const { namespaceInfo } = await node.rpc('DescribeNamespace', {});
  expect(namespaceInfo.capabilities.pollerAutoscaling).toBe(true);
});
