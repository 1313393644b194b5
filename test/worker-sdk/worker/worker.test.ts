/** The worker's life: polls, limits, answers that must arrive, and stopping without losing anything. */
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Context, sleep } from '../../../worker-sdk/activity/index.js';
import { Connection, NamespaceNotFoundError } from '../../../worker-sdk/client/index.js';
import {
  CombinedWorkerRunError,
  GracefulShutdownPeriodExpiredError,
  PromiseCompletionTimeoutError,
  Runtime,
  Worker,
  type WorkerOptions,
} from '../../../worker-sdk/worker/index.js';
import { FakeError, FakeWorkflowService } from '../../helpers/fake-workflow-service.js';
import { until } from '../../helpers/until.js';
import { activityTask, TaskQueue, text } from '../activity/tasks.js';

const quiet = () => undefined;
Runtime.install({ logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet } });

let service: FakeWorkflowService;
let connection: Connection;
let queue: TaskQueue;
const running: Promise<unknown>[] = [];

beforeEach(async () => {
  service = await new FakeWorkflowService().start();
  connection = await Connection.connect({ address: service.address });
  queue = new TaskQueue();
  service.on('PollActivityTaskQueue', queue.poll);
  service.on('RespondActivityTaskCompleted', () => ({}));
  service.on('RespondActivityTaskFailed', () => ({}));
});
afterEach(async () => {
  await Promise.all(running.splice(0));
  await connection.close();
  service.kill();
});

const create = (options: Partial<WorkerOptions> = {}) =>
  Worker.create({ connection, taskQueue: 'q', activities: { echo: async (value: unknown) => value }, ...options });

/** A promise and what settles it. */
function gate() {
  let open!: () => void;
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

describe('making a worker', () => {
  test('needs something to do, and options that fit', async () => {
    await expect(Worker.create({ connection, taskQueue: 'q' })).rejects.toThrow("needs 'workflowsPath' or 'workflowBundle'");
    await expect(create({ taskQueue: '' })).rejects.toThrow("Invalid 'taskQueue'");
    await expect(create({ maxConcurrentActivityTaskExecutions: 0 })).rejects.toThrow('an integer of at least 1, got 0');
    await expect(create({ workflowsPath: '/a', workflowBundle: { code: '' } })).rejects.toThrow('not both');
  });

  test("refuses names that are the SDK's own", async () => {
    for (const name of ['__temporal_x', '__stack_trace', '__enhanced_stack_trace']) {
      const reason = name.startsWith('__temporal_') ? "with reserved prefix: '__temporal_'" : 'which is a reserved name';
      await expect(create({ activities: { [name]: async () => 1 } })).rejects.toThrow(`Cannot use activity name: '${name}', ${reason}`);
      await expect(create({ taskQueue: name })).rejects.toThrow(`Cannot use task queue name: '${name}', ${reason}`);
      await expect(create({ sinks: { [name]: {} } })).rejects.toThrow(`Cannot use sink name: '${name}', ${reason}`);
    }
    class Jobs {
      async __temporal_inherited(): Promise<void> {}
    }
    await expect(create({ activities: new Jobs() })).rejects.toThrow("Cannot use activity name: '__temporal_inherited'");
  });

  test('fails when the namespace is not there', async () => {
    service.on('DescribeNamespace', () => {
      throw new FakeError(status.NOT_FOUND, 'nope');
    });
    await expect(create({ namespace: 'gone' })).rejects.toThrow(new NamespaceNotFoundError('gone'));
  });
});

describe('polling', () => {
  test('begins with a few polls, opens more with the work, and goes back when there is none', async () => {
    const worker = await create({ maxConcurrentActivityTaskPolls: 6 });
    running.push(worker.run());
    await until('two polls', () => queue.polls === 2);
    for (let i = 0; i < 20; i++) queue.push(activityTask('echo', [i]));
    await service.called('RespondActivityTaskCompleted', 20);
    await until('six polls', () => queue.polls === 6);
    await until('two polls again', () => {
      queue.endPolls();
      return service.requests('PollActivityTaskQueue').length > 40 && queue.polls <= 2;
    });
    worker.shutdown();
  });

  test('holds no more tasks than it has slots', async () => {
    const { promise, open } = gate();
    let most = 0;
    let now = 0;
    const hold = async () => {
      most = Math.max(most, ++now);
      await promise;
      now--;
    };
    const worker = await create({ activities: { hold }, maxConcurrentActivityTaskExecutions: 3 });
    running.push(worker.run());
    for (let i = 0; i < 10; i++) queue.push(activityTask('hold'));
    await until('three at once', () => now === 3);
    expect(worker.getStatus()).toMatchObject({ runState: 'RUNNING', numInFlightActivities: 3, numInFlightNonLocalActivities: 3 });
    expect(service.requests('PollActivityTaskQueue')).toHaveLength(3);
    open();
    await service.called('RespondActivityTaskCompleted', 10);
    expect(most).toBe(3);
    worker.shutdown();
  });

  test('keeps to its rate', async () => {
    const worker = await create({ maxActivitiesPerSecond: 50, maxTaskQueueActivitiesPerSecond: 70 });
    for (let i = 0; i < 11; i++) queue.push(activityTask('echo'));
    const begin = performance.now();
    running.push(worker.run());
    await service.called('RespondActivityTaskCompleted', 11);
    expect(performance.now() - begin).toBeGreaterThan(190);
    expect(service.requests('PollActivityTaskQueue')[0].taskQueueMetadata.maxTasksPerSecond.value).toBe(70);
    worker.shutdown();
  });

  test('goes on after the server went away', async () => {
    const worker = await create();
    running.push(worker.run());
    await service.called('PollActivityTaskQueue');
    service.kill();
    queue = new TaskQueue();
    service.on('PollActivityTaskQueue', queue.poll);
    await service.start();
    queue.push(activityTask('echo', ['back']));
    await service.called('RespondActivityTaskCompleted');
    worker.shutdown();
  });

  test('is back soon after an outage, however many polls failed at once', async () => {
    const worker = await create({ activityTaskPollerBehavior: { type: 'autoscaling', minimum: 12, initial: 12, maximum: 12 } });
    running.push(worker.run());
    await until('twelve polls', () => queue.polls === 12);
    service.kill();
    queue = new TaskQueue();
    service.on('PollActivityTaskQueue', queue.poll);
    await service.start();
    const begin = performance.now();
    await until('twelve polls again', () => queue.polls === 12);
    expect(performance.now() - begin).toBeLessThan(1500);
    worker.shutdown();
  });

  test('ends the worker when the server refuses it for good', async () => {
    service.on('PollActivityTaskQueue', () => {
      throw new FakeError(status.PERMISSION_DENIED, 'not yours');
    });
    const worker = await create();
    await expect(worker.run()).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
    expect(worker.getState()).toBe('FAILED');
    await connection.close();
  });
});

describe('answers', () => {
  test('are sent until the server confirms them, across its restart', async () => {
    service.on('RespondActivityTaskCompleted', async (_request, { nth }) => {
      if (nth === 1) throw new FakeError(status.UNAVAILABLE, 'busy');
      if (nth === 2) {
        service.kill();
        await service.start();
      }
      return {};
    });
    const worker = await create();
    running.push(worker.run());
    queue.push(activityTask('echo', ['kept']));
    await service.called('RespondActivityTaskCompleted', 3);
    const sent = service.requests('RespondActivityTaskCompleted');
    expect(new Set(sent.map(({ taskToken }) => Buffer.from(taskToken).toString())).size).toBe(1);
    expect(text(sent[2].result.payloads[0])).toBe('kept');
    worker.shutdown();
  });

  test('that nobody wants any more are dropped, and the worker goes on', async () => {
    service.on('RespondActivityTaskCompleted', (_request, { nth }) => {
      if (nth === 1) throw new FakeError(status.NOT_FOUND, 'timed out');
      return {};
    });
    const worker = await create();
    running.push(worker.run());
    queue.push(activityTask('echo'));
    queue.push(activityTask('echo'));
    await service.called('RespondActivityTaskCompleted', 2);
    worker.shutdown();
  });

  test('that are too large become a failure that says so', async () => {
    service.on('RespondActivityTaskCompleted', () => {
      throw new FakeError(status.RESOURCE_EXHAUSTED, 'Received message larger than max (9 vs. 4)');
    });
    const worker = await create();
    running.push(worker.run());
    queue.push(activityTask('echo'));
    await service.called('RespondActivityTaskFailed');
    expect(service.requests('RespondActivityTaskFailed')[0].failure.applicationFailureInfo).toMatchObject({
      type: 'MessageTooLarge',
      nonRetryable: true,
    });
    worker.shutdown();
  });
});

describe('stopping', () => {
  test('tells the server, takes nothing more, finishes what it holds', async () => {
    const { promise, open } = gate();
    const worker = await create({ activities: { hold: () => promise }, shutdownGraceTime: '1 minute' });
    const run = worker.run();
    queue.push(activityTask('hold'));
    await until('an activity', () => worker.getStatus().numInFlightActivities === 1);
    worker.shutdown();
    expect(worker.getState()).toBe('STOPPING');
    await service.called('ShutdownWorker');
    await until('no polls', () => queue.polls === 0);
    await until('draining', () => worker.getState() === 'DRAINING');
    open();
    await run;
    expect(worker.getState()).toBe('STOPPED');
    expect(service.requests('RespondActivityTaskCompleted')).toHaveLength(1);
    expect(service.requests('ShutdownWorker')[0]).toMatchObject({ taskQueue: 'q', reason: 'graceful shutdown' });
    await expect(worker.run()).rejects.toThrow('A worker runs once');
    expect(() => worker.shutdown()).toThrow('Not running');
  });

  test('lets the server end the polls where it can, and executes what it still hands out', async () => {
    service.on('DescribeNamespace', () => ({ namespaceInfo: { capabilities: { workerPollCompleteOnShutdown: true } } }));
    service.on('ShutdownWorker', () => {
      queue.push(activityTask('echo', ['last']));
      queue.endPolls();
      return {};
    });
    const worker = await create();
    const run = worker.run();
    await until('polls', () => queue.polls === 2);
    worker.shutdown();
    await run;
    expect(text(service.requests('RespondActivityTaskCompleted')[0].result.payloads[0])).toBe('last');
  });

  test('tells activities to stop after the grace time, and hands them back as failed', async () => {
    let details: unknown;
    const wait = () =>
      sleep('1 hour').catch((err) => {
        details = Context.current().cancellationDetails;
        throw err;
      });
    const worker = await create({ activities: { wait }, shutdownGraceTime: 20 });
    const run = worker.run();
    queue.push(activityTask('wait'));
    await until('an activity', () => worker.getStatus().numInFlightActivities === 1);
    worker.shutdown();
    await run;
    expect(details).toMatchObject({ workerShutdown: true });
    const { failure } = service.requests('RespondActivityTaskFailed')[0];
    expect(failure.applicationFailureInfo).toMatchObject({ type: 'WorkerShutdown', nonRetryable: false });
  });

  test('gives up after the force time', async () => {
    const { promise, open } = gate();
    const worker = await create({ activities: { hold: () => promise }, shutdownForceTime: 30 });
    const run = worker.run();
    queue.push(activityTask('hold'));
    await until('an activity', () => worker.getStatus().numInFlightActivities === 1);
    worker.shutdown();
    await expect(run).rejects.toBeInstanceOf(GracefulShutdownPeriodExpiredError);
    expect(worker.getState()).toBe('FAILED');
    open();
  });

  test('is what a signal asks for', async () => {
    const worker = await create();
    const run = worker.run();
    process.emit('SIGTERM', 'SIGTERM');
    await run;
    expect(worker.getState()).toBe('STOPPED');
    expect(process.listenerCount('SIGTERM')).toBe(0);
  });

  test('keeps the connection from being closed until it is done', async () => {
    const worker = await create();
    const run = worker.run();
    await expect(connection.close()).rejects.toThrow('a worker still uses it');
    worker.shutdown();
    await run;
  });
});

describe('runUntil', () => {
  test('answers with the result and stops', async () => {
    const worker = await create();
    expect(await worker.runUntil(async () => 'result')).toBe('result');
    expect(worker.getState()).toBe('STOPPED');
  });

  test('passes on the error of the function, the worker, or both', async () => {
    const boom = new Error('boom');
    await expect((await create()).runUntil(() => Promise.reject(boom))).rejects.toBe(boom);
    service.on('PollActivityTaskQueue', () => {
      throw new FakeError(status.PERMISSION_DENIED, 'no');
    });
    const never = new Promise<never>(() => undefined);
    const error = await (await create()).runUntil(never, { promiseCompletionTimeout: 10 }).catch((err) => err);
    expect(error).toBeInstanceOf(CombinedWorkerRunError);
    expect(error.cause.innerError).toBeInstanceOf(PromiseCompletionTimeoutError);
    expect(error.cause.workerError).toMatchObject({ code: status.PERMISSION_DENIED });
  });
});
