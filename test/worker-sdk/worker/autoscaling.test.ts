/** Polls whose number follows the server's hints. */
import { afterEach, beforeEach, test } from 'vitest';
import { Connection } from '../../../worker-sdk/client/index.js';
import { Runtime, Worker, type WorkerOptions } from '../../../worker-sdk/worker/index.js';
import { FakeWorkflowService } from '../../helpers/fake-workflow-service.js';
import { until } from '../../helpers/until.js';
import { activityTask, TaskQueue } from '../activity/tasks.js';

const quiet = () => undefined;
Runtime.install({ logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet } });

let service: FakeWorkflowService;
let connection: Connection;
let queue: TaskQueue;

beforeEach(async () => {
  service = await new FakeWorkflowService().start();
  connection = await Connection.connect({ address: service.address });
  queue = new TaskQueue();
  service.on('PollActivityTaskQueue', queue.poll).on('RespondActivityTaskCompleted', () => ({}));
});
afterEach(async () => {
  await connection.close();
  service.kill();
});

const hinted = (pollRequestDeltaSuggestion: number) => activityTask('echo', [], { pollerScalingDecision: { pollRequestDeltaSuggestion } });

async function withWorker(options: Partial<WorkerOptions>, use: () => Promise<void>): Promise<void> {
  const worker = await Worker.create({ connection, taskQueue: 'q', activities: { echo: async () => 'done' }, ...options });
  await worker.runUntil(use);
}

/** Lets a task through, and waits until as many polls are open as there should be. */
async function taskThen(task: object, polls: number): Promise<void> {
  const before = service.requests('RespondActivityTaskCompleted').length;
  queue.push(task);
  await service.called('RespondActivityTaskCompleted', before + 1);
  await until(`${polls} polls`, () => queue.polls === polls);
}

const behavior = { type: 'autoscaling', minimum: 2, initial: 3, maximum: 7 } as const;

test('more and less as the server says, within the bounds, and as they are without a word', async () => {
  service.on('DescribeNamespace', () => ({ namespaceInfo: { capabilities: { pollerAutoscaling: true } } }));
  await withWorker({ activityTaskPollerBehavior: behavior }, async () => {
    await until('the initial polls', () => queue.polls === 3);
    await taskThen(hinted(0), 3);
    await taskThen(activityTask('echo'), 3);
    await taskThen(hinted(1), 4);
    await taskThen(hinted(2), 6);
    await taskThen(hinted(5), 7);
    await taskThen(hinted(-1), 6);
    for (const polls of [5, 4, 3, 2, 2]) await taskThen(hinted(-1), polls);
  });
});

test('a server that gives no hints: each task invites another poll, and each empty answer takes one away', async () => {
  await withWorker({ activityTaskPollerBehavior: behavior }, async () => {
    await until('the initial polls', () => queue.polls === 3);
    await taskThen(activityTask('echo'), 4);
    await taskThen(activityTask('echo'), 5);
    queue.endPolls();
    await until('the minimum', () => queue.polls === 2);
  });
});

test('a fixed number takes no hints', async () => {
  service.on('DescribeNamespace', () => ({ namespaceInfo: { capabilities: { pollerAutoscaling: true } } }));
  await withWorker({ activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 4 } }, async () => {
    await until('the initial polls', () => queue.polls === 2);
    await taskThen(hinted(-1), 3);
  });
});
