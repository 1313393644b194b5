/** What workers tell the server of themselves, where it wants to know. */
import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { Client, Connection } from '../../../worker-sdk/client/index.js';
import { Runtime, Worker, type WorkerOptions } from '../../../worker-sdk/worker/index.js';
import { FakeWorkflowService } from '../../helpers/fake-workflow-service.js';
import { until } from '../../helpers/until.js';
import { startEngineServer } from '../../transport/engine-server.js';
import { activityTask, TaskQueue } from '../activity/tasks.js';

const quiet = () => undefined;
const logger = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };
afterEach(() => Runtime.instance().shutdown());

const activities = {
  fine: async () => 'fine',
  broken: async () => {
    throw new Error('broken');
  },
};

async function withFake(
  capabilities: object,
  use: (service: FakeWorkflowService, queue: TaskQueue) => Promise<void>,
): Promise<FakeWorkflowService> {
  const service = await new FakeWorkflowService().start();
  const queue = new TaskQueue();
  service
    .on('PollActivityTaskQueue', queue.poll)
    .on('RespondActivityTaskCompleted', () => ({}))
    .on('RespondActivityTaskFailed', () => ({}))
    .on('RecordWorkerHeartbeat', () => ({}))
    .on('DescribeNamespace', () => ({ namespaceInfo: { capabilities } }));
  const connection = await Connection.connect({ address: service.address });
  const options: WorkerOptions = { connection, taskQueue: 'q', activities, identity: 'me', plugins: [{ name: 'a plugin' }] };
  const worker = await Worker.create({ ...options, maxConcurrentActivityTaskExecutions: 5 });
  await worker.runUntil(() => use(service, queue));
  await connection.close();
  service.kill();
  return service;
}

test('who it is, what it holds, what it has done; going, and gone', async () => {
  Runtime.install({ logger, workerHeartbeatInterval: '1s' });
  const service = await withFake({ workerHeartbeats: true }, async (fake, queue) => {
    queue.push(activityTask('fine'));
    queue.push(activityTask('broken'));
    await fake.called('RespondActivityTaskCompleted');
    await fake.called('RespondActivityTaskFailed');
    await until('a later heartbeat', () => fake.requests('RecordWorkerHeartbeat').length >= 2);
  });
  const sent = service.requests('RecordWorkerHeartbeat');
  const beats = sent.map(({ workerHeartbeat }) => workerHeartbeat[0]);
  expect(sent[0]).toMatchObject({ namespace: 'default', identity: 'me', resourceId: beats[0].hostInfo.workerGroupingKey });
  expect(beats[0]).toMatchObject({
    workerIdentity: 'me',
    taskQueue: 'q',
    status: 1,
    hostInfo: { processId: String(process.pid) },
    activityTaskSlotsInfo: { currentAvailableSlots: 5, slotSupplierKind: 'Fixed' },
    plugins: [{ name: 'a plugin' }],
  });
  expect(beats[1].activityTaskSlotsInfo).toMatchObject({
    totalProcessedTasks: 2,
    totalFailedTasks: 1,
    lastIntervalProcessedTasks: 2,
    lastIntervalFailureTasks: 1,
  });
  expect(beats[1].activityPollerInfo.currentPollers).toBeGreaterThan(0);
  expect(Number(beats[1].activityPollerInfo.lastSuccessfulPollTime.seconds)).toBeGreaterThan(0);
  expect(Number(beats[1].elapsedSinceLastHeartbeat.seconds) + beats[1].elapsedSinceLastHeartbeat.nanos / 1e9).toBeCloseTo(1, 0);
  const [goodbye] = service.requests('ShutdownWorker');
  expect(goodbye.workerHeartbeat).toMatchObject({ status: 2, workerInstanceKey: beats[0].workerInstanceKey });
  expect(goodbye.workerInstanceKey).toBe(beats[0].workerInstanceKey);
  expect(service.requests('PollActivityTaskQueue')[0].workerInstanceKey).toBe(beats[0].workerInstanceKey);
  expect(beats.at(-1).status).toBe(3);
});

test('none where the server does not want them, or the program does not', async () => {
  Runtime.install({ logger, workerHeartbeatInterval: '1s' });
  const work = async (service: FakeWorkflowService, queue: TaskQueue) => {
    queue.push(activityTask('fine'));
    await service.called('RespondActivityTaskCompleted');
  };
  const unwanted = await withFake({}, work);
  expect(unwanted.requests('RecordWorkerHeartbeat')).toEqual([]);
  expect(unwanted.requests('ShutdownWorker')[0].workerHeartbeat).toBeFalsy();
  await Runtime.instance().shutdown();
  Runtime.install({ logger, workerHeartbeatInterval: 0 });
  expect((await withFake({ workerHeartbeats: true }, work)).requests('RecordWorkerHeartbeat')).toEqual([]);
});

test('an interval is one to sixty seconds, or none', () => {
  expect(() => Runtime.install({ logger, workerHeartbeatInterval: '2 minutes' })).toThrow(
    "Invalid 'workerHeartbeatInterval': expected 0 or 1 to 60 seconds, got 120000 ms",
  );
});

test('the engine knows the worker while it runs, and forgets it when it has stopped', async () => {
  Runtime.install({ logger });
  const engine = await startEngineServer();
  const connection = await Connection.connect({ address: engine.address });
  const { workflowService } = new Client({ connection });
  const taskQueue = `known-${randomUUID()}`;
  const list = async () => (await workflowService.listWorkers({ namespace: 'default', query: `TaskQueue = '${taskQueue}'` })).workersInfo;
  const worker = await Worker.create({ connection, taskQueue, activities, identity: 'me' });
  await worker.runUntil(async () => {
    const [info] = await until('the worker', async () => {
      const infos = await list();
      return infos.length > 0 ? infos : undefined;
    });
    expect(info!.workerHeartbeat).toMatchObject({ workerIdentity: 'me', taskQueue, sdkName: 'perdure-typescript' });
  });
  expect(await list()).toEqual([]);
  await connection.close();
  await engine.stop();
});
