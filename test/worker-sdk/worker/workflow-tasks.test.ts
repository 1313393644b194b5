/** Workflow tasks between server and host: what is answered, what comes back with an answer, and what an answer that is refused means. */
import { Metadata, status } from '@grpc/grpc-js';
import { beforeEach, expect, test } from 'vitest';
import type { WorkflowHost, WorkflowTask, WorkflowTaskOutcome } from '../../../worker-sdk/replay/workflow-host.js';
import { GrpcError } from '../../../worker-sdk/transport/grpc-error.js';
import type { WorkerRpcs } from '../../../worker-sdk/worker/delivery.js';
import { DeliveryLimit } from '../../../worker-sdk/worker/delivery-limit.js';
import { EagerActivities } from '../../../worker-sdk/worker/eager-activities.js';
import { type ActivitySlotInfo, FixedSlots, type WorkflowSlotInfo } from '../../../worker-sdk/worker/slots.js';
import { workerVersion } from '../../../worker-sdk/worker/worker-version.js';
import { TaskCounts } from '../../../worker-sdk/worker/task-counts.js';
import { WorkflowTasks } from '../../../worker-sdk/worker/workflow-tasks.js';

type Request = Record<string, unknown>;

let sent: [string, Request][];
let evicted: [string, string | undefined][];
let dropped: [string, number][];
let warnings: string[];
let outcome: (task: WorkflowTask) => WorkflowTaskOutcome | Promise<WorkflowTaskOutcome>;
let answer: (method: string, request: Request) => object;
let takesMore: boolean;
let eagerTasks: string[];
let activitySlots: FixedSlots<ActivitySlotInfo>;

const grpcError = (code: status, details: string) => new GrpcError(code, details, new Metadata());
const completed = (completion = {}): WorkflowTaskOutcome => ({ kind: 'completed', completion: { commands: [], ...completion } });
const task = (more: WorkflowTask = {}): WorkflowTask => ({
  taskToken: Buffer.from('token'),
  workflowExecution: { workflowId: 'w', runId: 'r' },
  workflowType: { name: 't' },
  attempt: 1,
  ...more,
});

beforeEach(() => {
  sent = [];
  evicted = [];
  dropped = [];
  warnings = [];
  outcome = () => completed();
  answer = () => ({});
  takesMore = true;
  eagerTasks = [];
  activitySlots = new FixedSlots(2);
});

function makeTasks(): WorkflowTasks {
  const host = {
    handleTask: async (given: WorkflowTask) => outcome(given),
    evict: (runId: string, reason?: string) => evicted.push([runId, reason]),
    speculativeTaskDropped: (runId: string, eventId: number) => dropped.push([runId, eventId]),
  } as unknown as WorkflowHost;
  const rpc = (method: string) => async (request: Request) => {
    sent.push([method, request]);
    return answer(method, request);
  };
  const rpcs = {
    workflowTaskCompleted: rpc('completed'),
    workflowTaskFailed: rpc('failed'),
    queryTaskCompleted: rpc('query'),
    history: rpc('history'),
  };
  const quiet = () => undefined;
  return new WorkflowTasks({
    host,
    rpcs: rpcs as unknown as WorkerRpcs,
    codecs: [],
    namespace: 'ns',
    taskQueue: 'q',
    identity: 'me',
    sticky: { queue: 'sticky-q', scheduleToStartTimeout: {} },
    version: workerVersion('build', undefined),
    eager: new EagerActivities({
      slots: activitySlots,
      maxPerTask: 3,
      has: (type) => type === 'known',
      takesMore: () => takesMore,
      take: (eager, slot) => {
        eagerTasks.push(eager.activityType!.name!);
        slot.release();
      },
    }),
    takesMore: () => takesMore,
    takesPages: () => false,
    counts: new TaskCounts(),
    delivery: new DeliveryLimit(),
    logger: {
      log: quiet,
      trace: quiet,
      debug: quiet,
      info: quiet,
      warn: (message: string) => warnings.push(message),
      error: (message: string) => warnings.push(message),
    },
  });
}

async function run(given: WorkflowTask): Promise<void> {
  const slots = new FixedSlots<WorkflowSlotInfo>(1);
  const tasks = makeTasks();
  tasks.take(given, slots.tryReserve(false)!, false);
  await tasks.drain();
  expect([slots.used, tasks.size]).toEqual([0, 0]);
  expect(slots.tryReserve(false)).toBeDefined();
}

test('a completion names the worker, its sticky queue and its build, and wants the next task', async () => {
  await run(task());
  expect(sent).toMatchObject([
    [
      'completed',
      {
        namespace: 'ns',
        identity: 'me',
        taskToken: Buffer.from('token'),
        stickyAttributes: { workerTaskQueue: { name: 'sticky-q', kind: 2, normalName: 'q' } },
        workerVersionStamp: { buildId: 'build' },
        returnNewWorkflowTask: true,
      },
    ],
  ]);
});

test('tasks that come with answers are executed with the same slot, until none comes', async () => {
  answer = () => ({ workflowTask: sent.length < 3 ? task({ taskToken: Buffer.from(`token-${sent.length}`) }) : {} });
  await run(task());
  expect(sent.map(([, request]) => String(request.taskToken))).toEqual(['token', 'token-1', 'token-2']);
});

test('a worker that stops wants no next task, but for local activities that still run', async () => {
  takesMore = false;
  await run(task());
  expect(sent[0]![1].returnNewWorkflowTask).toBe(false);
  outcome = () => completed({ forceCreateNewWorkflowTask: true });
  await run(task());
  expect(sent[1]![1].returnNewWorkflowTask).toBe(true);
});

test('only the first failure is told', async () => {
  outcome = () => ({ kind: 'failed', failure: { cause: 24, failure: { message: 'differs' } } });
  await run(task({ attempt: 1 }));
  await run(task({ attempt: 2 }));
  expect(sent).toMatchObject([['failed', { cause: 24, failure: { message: 'differs' } }]]);
});

test('a lone query is answered as one', async () => {
  outcome = () => ({ kind: 'query', answer: { completedType: 1, queryResult: {} } });
  await run(task({ query: { queryType: 'x' } }));
  expect(sent).toMatchObject([['query', { completedType: 1, namespace: 'ns' }]]);
});

test('an answer that is not wanted any more means that the run begins again from history', async () => {
  answer = () => {
    throw grpcError(status.NOT_FOUND, 'timed out');
  };
  await run(task());
  expect(evicted).toEqual([['r', 'answer was not taken by the server']]);
  expect(warnings).toEqual([]);
});

test('an answer that is refused is logged', async () => {
  answer = () => {
    throw grpcError(status.INVALID_ARGUMENT, 'BadScheduleActivityAttributes');
  };
  await run(task());
  expect(evicted).toHaveLength(1);
  expect(warnings).toEqual(['Answer of a workflow task was refused by the server']);
});

test('an answer that is too large becomes a failure that says so', async () => {
  answer = (method) => {
    if (method === 'completed') throw grpcError(status.RESOURCE_EXHAUSTED, 'message larger than max');
    return {};
  };
  await run(task());
  // WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE
  expect(sent[1]).toMatchObject(['failed', { cause: 36 }]);
});

test('a history that cannot be read fails the task, unless the run is gone', async () => {
  outcome = () => Promise.reject(grpcError(status.UNAVAILABLE, 'no history'));
  await run(task());
  expect(sent).toMatchObject([['failed', { failure: { message: expect.stringContaining('no history') } }]]);
  outcome = () => Promise.reject(grpcError(status.NOT_FOUND, 'run is gone'));
  await run(task());
  expect(sent).toHaveLength(1);
  expect(evicted).toHaveLength(2);
});

test('a speculative task that was dropped is told to the host', async () => {
  answer = () => ({ resetHistoryEventId: 7 });
  await run(task());
  expect(dropped).toEqual([['r', 7]]);
});

test('eager activities: as many as there are slots and the worker knows, and slots that are not used come back', async () => {
  const schedule = (name: string) => ({ scheduleActivityTaskCommandAttributes: { activityType: { name }, requestEagerExecution: true } });
  outcome = () => completed({ commands: [schedule('known'), schedule('unknown'), schedule('known'), schedule('known')] });
  answer = () => ({ activityTasks: [{ activityType: { name: 'known' } }] });
  await run(task());
  const commands = sent[0]![1].commands as ReturnType<typeof schedule>[];
  expect(commands.map((command) => command.scheduleActivityTaskCommandAttributes.requestEagerExecution)).toEqual([
    true,
    false,
    true,
    false,
  ]);
  expect(eagerTasks).toEqual(['known']);
  expect([activitySlots.tryReserve(false), activitySlots.tryReserve(false)]).not.toContain(undefined);
});

test('an error that nobody expected is logged, and the slot comes back', async () => {
  outcome = () => ({ kind: 'completed', completion: undefined }) as unknown as WorkflowTaskOutcome;
  await run(task());
  expect(warnings).toHaveLength(1);
});
