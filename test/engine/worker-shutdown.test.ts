/** A worker that says goodbye: its waiting polls end, on every queue, and tasks are kept from polls that nobody listens to any more. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { command, EngineNode } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

const database = useDatabase();
let node: EngineNode;
let key: string;
let count = 0;

beforeAll(async () => {
  node = new EngineNode(database.url);
  await node.addNamespace('default');
});
beforeEach(() => {
  key = `worker-${count++}`;
});
afterAll(() => node.close());

const poll = (queue: string, workerInstanceKey = key) =>
  node.rpc('PollWorkflowTaskQueue', { taskQueue: { name: queue }, workerInstanceKey });
const pollActivity = (queue: string) => node.rpc('PollActivityTaskQueue', { taskQueue: { name: queue }, workerInstanceKey: key });
const waiting = (polls: number) => until(`${polls} waiting polls`, async () => node.engine.queues.waitingPolls === polls);
const shutDown = () => node.rpc('ShutdownWorker', { workerInstanceKey: key });
const isEmpty = (task: { taskToken?: Uint8Array }) => !task.taskToken?.length;

it('its polls of every queue are answered empty, those of others go on', async () => {
  const mine = [poll('one'), poll('two'), pollActivity('one')];
  const other = poll('one', 'another');
  await waiting(4);
  await shutDown();
  expect((await Promise.all(mine)).map(isEmpty)).toEqual([true, true, true]);
  await waiting(1);
  await node.start('one');
  expect(isEmpty(await other)).toBe(false);
});

it('a poll that was on its way gets nothing, so that no task is lost with it', async () => {
  await shutDown();
  await node.start('late');
  expect(isEmpty(await poll('late'))).toBe(true);
  expect(isEmpty(await poll('late', 'another'))).toBe(false);
});

it('what it is still busy with it may finish', async () => {
  await node.start('busy');
  const task = await poll('busy');
  await shutDown();
  await node.complete(task, [command.complete()]);
  expect((await node.story('busy')).at(-1)).toBe('WORKFLOW_EXECUTION_COMPLETED');
});

it('a shutdown that names nothing does nothing', async () => {
  const other = poll('quiet', '');
  await waiting(1);
  await node.rpc('ShutdownWorker', {});
  await node.start('quiet');
  expect(isEmpty(await other)).toBe(false);
});
