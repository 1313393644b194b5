/** Activities on a worker: what they are given, how they end, and how they learn that they should stop. */
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  activityInfo,
  ApplicationFailure,
  CancelledFailure,
  CompleteAsyncError,
  Context,
  heartbeat,
  sleep,
} from '../../../worker-sdk/activity/index.js';
import { Connection } from '../../../worker-sdk/client/index.js';
import { Runtime, Worker, type WorkerOptions } from '../../../worker-sdk/worker/index.js';
import { FakeError, FakeWorkflowService } from '../../helpers/fake-workflow-service.js';
import { until } from '../../helpers/until.js';
import { activityTask, json, TaskQueue, text } from './tasks.js';

const quiet = () => undefined;
Runtime.install({ logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet } });

let service: FakeWorkflowService;
let connection: Connection;
let queue: TaskQueue;
let stop: () => Promise<void>;

beforeEach(async () => {
  service = await new FakeWorkflowService().start();
  connection = await Connection.connect({ address: service.address });
  queue = new TaskQueue();
  service.on('PollActivityTaskQueue', queue.poll);
  for (const method of ['RespondActivityTaskCompleted', 'RespondActivityTaskFailed', 'RespondActivityTaskCanceled'])
    service.on(method, () => ({}));
  service.on('RecordActivityTaskHeartbeat', () => ({}));
});
afterEach(async () => {
  await stop?.();
  await connection.close();
  service.kill();
});

async function run(options: Partial<WorkerOptions> & { activities: object }): Promise<Worker> {
  const worker = await Worker.create({ connection, taskQueue: 'q', identity: 'me', ...options });
  const running = worker.run();
  stop = async () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
  };
  return worker;
}

/** The answer to the only task, whatever it is. */
async function answer(method: 'Completed' | 'Failed' | 'Canceled') {
  await service.called(`RespondActivityTask${method}`);
  return service.requests(`RespondActivityTask${method}`)[0];
}

describe('an activity', () => {
  test('gets its arguments and what it can know about itself', async () => {
    let info: unknown;
    await run({
      activities: {
        add: async (a: number, b: { n: number }) => {
          info = activityInfo();
          return { sum: a + b.n };
        },
      },
    });
    queue.push(
      activityTask('add', [1, { n: 2 }], { attempt: 3, heartbeatDetails: { payloads: [json('half')] }, heartbeatTimeout: { seconds: 9 } }),
    );
    const request = await answer('Completed');
    expect(text(request.result.payloads[0])).toEqual({ sum: 3 });
    expect(request).toMatchObject({ identity: 'me', namespace: 'default' });
    expect(Buffer.from(request.taskToken).toString()).toBe('token-1');
    expect(info).toMatchObject({
      activityType: 'add',
      attempt: 3,
      isLocal: false,
      inWorkflow: true,
      workflowExecution: { workflowId: 'w', runId: 'r' },
      taskQueue: 'q',
      heartbeatDetails: 'half',
      heartbeatTimeoutMs: 9000,
      startToCloseTimeoutMs: 60_000,
    });
  });

  test('may be a method of an object', async () => {
    class Shop {
      constructor(private readonly name: string) {}
      async whoami() {
        return this.name;
      }
    }
    await run({ activities: new Shop('tea') });
    queue.push(activityTask('whoami'));
    expect(text((await answer('Completed')).result.payloads[0])).toBe('tea');
  });

  test('that nobody registered fails and says what there is', async () => {
    await run({ activities: { known: async () => 1 } });
    queue.push(activityTask('missing'));
    const { failure } = await answer('Failed');
    expect(failure.applicationFailureInfo).toMatchObject({ type: 'NotFoundError', nonRetryable: false });
    expect(failure.message).toContain('missing is not registered on this worker: expected one of known');
  });

  test('named default takes what nobody else takes', async () => {
    await run({ activities: { default: async () => activityInfo().activityType } });
    queue.push(activityTask('anything'));
    expect(text((await answer('Completed')).result.payloads[0])).toBe('anything');
  });

  test('that throws fails with its error, type, details and cause', async () => {
    await run({
      activities: {
        broken: async () => {
          throw ApplicationFailure.create({
            message: 'm',
            type: 'T',
            nonRetryable: true,
            details: [1],
            nextRetryDelay: '2s',
            cause: new RangeError('c'),
          });
        },
      },
    });
    queue.push(activityTask('broken'));
    const { failure } = await answer('Failed');
    expect(failure).toMatchObject({ message: 'm', applicationFailureInfo: { type: 'T', nonRetryable: true }, cause: { message: 'c' } });
    expect(Number(failure.applicationFailureInfo.nextRetryDelay.seconds)).toBe(2);
    expect(failure.applicationFailureInfo.details.payloads.map(text)).toEqual([1]);
  });

  test('that throws CompleteAsyncError is left open', async () => {
    await run({
      activities: {
        later: async () => {
          throw new CompleteAsyncError();
        },
        done: async () => 1,
      },
    });
    queue.push(activityTask('later'));
    queue.push(activityTask('done'));
    await answer('Completed');
    await stop();
    expect(service.calls.filter(({ method }) => method.startsWith('RespondActivity'))).toHaveLength(1);
  });

  test('has interceptors around it, and its log their attributes', async () => {
    const entries: unknown[] = [];
    const worker = await run({
      activities: { greet: async (name: string) => `hello ${name}` },
      interceptors: {
        activity: [
          (ctx) => ({
            inbound: {
              execute: async (input, next) => {
                ctx.log = { ...ctx.log, info: (message) => entries.push(message) };
                Context.current().log.info(`args ${input.args}`);
                return `<${await next({ ...input, args: ['you'] })}>`;
              },
            },
          }),
        ],
      },
    });
    queue.push(activityTask('greet', ['me']));
    expect(text((await answer('Completed')).result.payloads[0])).toBe('<hello you>');
    expect(entries).toEqual(['args me']);
    await until('the activity to leave its slot', () => worker.getStatus().numInFlightActivities === 0);
  });
});

describe('heartbeats', () => {
  test('the first is sent at once, more are held back, the last details win', async () => {
    await run({
      activities: {
        beat: async () => {
          for (let i = 1; i <= 50; i++) heartbeat(i);
          await service.called('RecordActivityTaskHeartbeat', 2);
        },
      },
    });
    queue.push(activityTask('beat', [], { heartbeatTimeout: { nanos: 250e6 } }));
    await answer('Completed');
    const details = service.requests('RecordActivityTaskHeartbeat').map((request) => text(request.details.payloads[0]));
    expect(details).toEqual([1, 50]);
  });

  test('what still waits is sent before a failure, so that the next attempt sees it', async () => {
    await run({
      activities: {
        beat: async () => {
          for (let i = 1; i <= 3; i++) heartbeat(i);
          throw new Error('now');
        },
      },
    });
    queue.push(activityTask('beat', [], { heartbeatTimeout: { seconds: 60 } }));
    await answer('Failed');
    const order = service.calls.map(({ method }) => method).filter((method) => /Heartbeat|Failed/.test(method));
    expect(order).toEqual(['RecordActivityTaskHeartbeat', 'RecordActivityTaskHeartbeat', 'RespondActivityTaskFailed']);
    expect(text(service.requests('RecordActivityTaskHeartbeat')[1].details.payloads[0])).toBe(3);
  });

  test.each([
    ['cancelRequested', 'cancelRequested', 'Canceled', undefined],
    ['activityPaused', 'paused', 'Failed', 'ActivityPause'],
    ['activityReset', 'reset', 'Failed', 'ActivityReset'],
  ] as const)('an answer with %s stops the activity', async (field, detail, ending, type) => {
    service.on('RecordActivityTaskHeartbeat', () => ({ [field]: true }));
    let seen: unknown;
    await run({
      activities: {
        wait: async () => {
          heartbeat();
          await sleep('1 hour').catch((err) => {
            seen = Context.current().cancellationDetails;
            expect(Context.current().cancellationSignal.aborted).toBe(true);
            throw err;
          });
        },
      },
    });
    queue.push(activityTask('wait'));
    const request = await answer(ending);
    expect(seen).toMatchObject({ [detail]: true });
    expect(request.failure?.applicationFailureInfo.type).toBe(type);
  });

  test('an activity that the server no longer knows is stopped, and its answer dropped', async () => {
    service.on('RecordActivityTaskHeartbeat', () => {
      throw new FakeError(status.NOT_FOUND, 'gone');
    });
    let ended!: () => void;
    const end = new Promise<void>((resolve) => {
      ended = resolve;
    });
    await run({
      activities: {
        wait: async () => {
          heartbeat();
          await Context.current().cancelled.catch((err) => {
            ended();
            expect(err).toBeInstanceOf(CancelledFailure);
          });
        },
      },
    });
    queue.push(activityTask('wait'));
    await end;
    await stop();
    expect(service.calls.some(({ method }) => method.startsWith('RespondActivity'))).toBe(false);
  });

  test('an activity that goes on after cancellation completes', async () => {
    service.on('RecordActivityTaskHeartbeat', () => ({ cancelRequested: true }));
    await run({
      activities: {
        stubborn: async () => {
          heartbeat();
          await Context.current().cancelled.catch(() => undefined);
          return 'anyway';
        },
      },
    });
    queue.push(activityTask('stubborn'));
    expect(text((await answer('Completed')).result.payloads[0])).toBe('anyway');
  });

  test('details that cannot be converted fail the activity', async () => {
    await run({
      activities: {
        wait: async () => {
          heartbeat(1n);
          await sleep('1 hour');
        },
      },
    });
    queue.push(activityTask('wait'));
    expect((await answer('Failed')).failure.message).toMatch(/convert/i);
  });
});
