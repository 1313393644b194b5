/** What operators set for task queues: limits that hold, tenants that take turns, and what is shown of both. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Command, enums } from '../../server/core/api.js';
import { command, EngineNode, ManualClock } from '../helpers/engine-node.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

const ACTIVITY = enums.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY;
const SOURCE = enums.RateLimitSource;

let database: TestDatabase;
let clock: ManualClock;
let node: EngineNode;

beforeEach(async () => {
  database = await createDatabase();
  clock = new ManualClock();
  node = new EngineNode(database.url, { clock });
  await node.addNamespace('default');
});
afterEach(async () => {
  node.engine.queues.close();
  await node.close();
  await database.drop();
});

const update = (request: object) =>
  node.rpc('UpdateTaskQueueConfig', { taskQueue: 'work', taskQueueType: ACTIVITY, identity: 'operator', ...request });
const limit = (requestsPerSecond: number | undefined, reason = 'too fast') =>
  update({ updateQueueRateLimit: { rateLimit: requestsPerSecond === undefined ? undefined : { requestsPerSecond }, reason } });
const describeQueue = (request: object = {}) =>
  node.rpc('DescribeTaskQueue', {
    taskQueue: { name: 'work' },
    taskQueueType: ACTIVITY,
    reportStats: true,
    reportConfig: true,
    ...request,
  });

/** Schedules activities on the queue `work`, one for each name, with priorities as given. */
async function schedule(
  workflowId: string,
  ids: readonly string[],
  priority: (id: string) => object | undefined = () => undefined,
): Promise<void> {
  await node.start(workflowId);
  const commands = ids.map((id): Command => {
    const scheduled = command.activity(id, 'work');
    return {
      ...scheduled,
      scheduleActivityTaskCommandAttributes: { ...scheduled.scheduleActivityTaskCommandAttributes, priority: priority(id) ?? null },
    };
  });
  await node.step(workflowId, commands);
}
const names = (n: number, prefix = 'a') => Array.from({ length: n }, (_, i) => `${prefix}${String(i).padStart(2, '0')}`);

/** Long polls whose tasks are gathered as they come. */
class Pollers {
  readonly got: string[] = [];
  constructor(
    count: number,
    private readonly more: object = {},
    private readonly at = node,
  ) {
    for (let i = 0; i < count; i++) void this.poll();
  }
  private async poll(): Promise<void> {
    for (;;) {
      const task = await this.at.rpc('PollActivityTaskQueue', { taskQueue: { name: 'work' }, ...this.more });
      if (!task.taskToken?.length) return;
      this.got.push(task.activityId);
    }
  }
  count = (n: number) => until(`${n} tasks, not ${this.got.length}`, () => this.got.length >= n);
}

/** Gives what must not happen the time to happen: whatever was asked for has been answered, and polls wait again. */
const settled = async (polls: number) => {
  await until('waiting polls', () => node.engine.queues.waitingPolls === polls);
  await node.engine.database.query({ text: 'select 1' });
  await until('waiting polls', () => node.engine.queues.waitingPolls === polls);
};

describe('a rate limit', () => {
  it('is kept with who set it, when and why, shown, and taken away again', async () => {
    const { config } = await limit(5);
    expect(config.queueRateLimit).toMatchObject({
      rateLimit: { requestsPerSecond: 5 },
      metadata: { reason: 'too fast', updateIdentity: 'operator' },
    });
    expect((await describeQueue()).config).toEqual(config);
    expect((await describeQueue()).effectiveRateLimit).toEqual({ requestsPerSecond: 5, rateLimitSource: SOURCE.RATE_LIMIT_SOURCE_API });
    expect((await describeQueue({ reportConfig: false })).config).toBeUndefined();
    const other = new EngineNode(database.url, { clock });
    await other.engine.queueConfigs.refresh(); // as a node does when it starts
    const shown = await other.rpc('DescribeTaskQueue', { taskQueue: { name: 'work' }, taskQueueType: ACTIVITY, reportConfig: true });
    await other.close();
    expect(shown.effectiveRateLimit.requestsPerSecond).toBe(5);
    const gone = (await limit(undefined, 'fast again')).config.queueRateLimit;
    expect(gone.rateLimit).toBeUndefined();
    expect(gone.metadata.reason).toBe('fast again');
    expect((await describeQueue()).effectiveRateLimit.rateLimitSource).toBe(SOURCE.RATE_LIMIT_SOURCE_SYSTEM);
  });

  it('lets a burst go and then no more than its rate, also to polls that wait already', async () => {
    await limit(4);
    const pollers = new Pollers(12);
    await until('polls', () => node.engine.queues.waitingPolls === 12);
    await schedule('wf', names(20));
    await pollers.count(5);
    await settled(12);
    expect(pollers.got).toHaveLength(5);
    for (let n = 6; n <= 9; n++) {
      clock.forward(250);
      await pollers.count(n);
      await settled(12);
      expect(pollers.got).toHaveLength(n);
    }
    expect((await describeQueue()).stats).toMatchObject({ rateLimitingActive: true, approximateBacklogCount: 11 });
    await limit(undefined);
    await pollers.count(20);
  });

  it('of zero holds the queue until it is raised', async () => {
    await limit(0);
    const pollers = new Pollers(3);
    await until('polls', () => node.engine.queues.waitingPolls === 3);
    await schedule('wf', names(3));
    await settled(3);
    clock.forward(3_600_000 / 2);
    node.engine.queues.backlogEverywhere();
    await settled(3);
    expect(pollers.got).toEqual([]);
    await limit(100);
    await pollers.count(3);
  });

  it('that a worker asks for holds while it polls so, and an operator’s goes before it', async () => {
    const ask = { taskQueueMetadata: { maxTasksPerSecond: { value: 2 } } };
    const pollers = new Pollers(6, ask);
    await until('polls', () => node.engine.queues.waitingPolls === 6);
    expect((await describeQueue()).effectiveRateLimit).toEqual({ requestsPerSecond: 2, rateLimitSource: SOURCE.RATE_LIMIT_SOURCE_WORKER });
    expect((await describeQueue()).pollers[0].ratePerSecond).toBe(2);
    await schedule('wf', names(8));
    await pollers.count(3);
    await settled(6);
    expect(pollers.got).toHaveLength(3);
    await limit(1_000);
    expect((await describeQueue()).effectiveRateLimit.rateLimitSource).toBe(SOURCE.RATE_LIMIT_SOURCE_API);
    clock.forward(10);
    await pollers.count(8);
  });

  it('of each tenant leaves the others alone', async () => {
    await update({
      updateFairnessKeyRateLimitDefault: { rateLimit: { requestsPerSecond: 1 }, reason: 'r' },
      setFairnessWeightOverrides: { big: 3 },
    });
    const pollers = new Pollers(4);
    await until('polls', () => node.engine.queues.waitingPolls === 4);
    const all = [...names(6, 'one'), ...names(6, 'two'), ...names(6, 'big')];
    await schedule('wf', all, (id) => ({ fairnessKey: id.slice(0, 3) }));
    await pollers.count(2 + 2 + 4);
    await settled(4);
    const of = (key: string) => pollers.got.filter((id) => id.startsWith(key)).length;
    expect([of('one'), of('two'), of('big')]).toEqual([2, 2, 4]);
    clock.forward(1_000);
    await pollers.count(8 + 1 + 1 + 2);
    await update({ updateFairnessKeyRateLimitDefault: { reason: 'enough' } });
    await pollers.count(18);
  });
});

describe('tenants of a queue', () => {
  it('take turns, as their weights say', async () => {
    await schedule('wf', [...names(8, 'big'), ...names(3, 'low'), ...names(2, 'mid')], (id) => ({ fairnessKey: id.slice(0, 3) }));
    await schedule('first', names(1, 'now'), () => ({ priorityKey: 1, fairnessKey: 'big' }));
    const pollers = new Pollers(1);
    await pollers.count(14);
    expect(pollers.got.map((id) => id.slice(0, 3)).join(' ')).toBe('now big low mid big low mid big low big big big big big');
  });

  it('weights may be set and taken back, and all weights of a queue have a limit', async () => {
    const weights = async () => (await describeQueue()).config.fairnessWeightOverrides;
    await update({ setFairnessWeightOverrides: { a: 2, b: 3 } });
    await update({ setFairnessWeightOverrides: { c: 1.5 }, unsetFairnessWeightOverrides: ['a', 'unknown'] });
    expect(await weights()).toEqual({ b: 3, c: 1.5 });
    await Promise.all(names(9).map((key) => update({ setFairnessWeightOverrides: { [key]: 1 } })));
    expect(Object.keys(await weights())).toHaveLength(11);
    const many = Object.fromEntries(names(995, 'k').map((key) => [key, 1]));
    await expect(update({ setFairnessWeightOverrides: many })).rejects.toThrow(/at most 1000/);
    expect(Object.keys(await weights())).toHaveLength(11);
  });
});

describe('mistakes', () => {
  const rate = { rateLimit: { requestsPerSecond: 1 } };
  it.each([
    [
      'a limit of a workflow queue',
      { taskQueueType: 1, updateQueueRateLimit: rate },
      'Setting rate limit on workflow task queues is not allowed.',
    ],
    [
      'a tenant’s limit of a workflow queue',
      { taskQueueType: 1, updateFairnessKeyRateLimitDefault: rate },
      'Setting fairness key rate limit on workflow task queues is not allowed.',
    ],
    [
      'a negative rate',
      { updateQueueRateLimit: { rateLimit: { requestsPerSecond: -1 } } },
      'RequestsPerSecond for UpdateQueueRateLimit rate limit must be non-negative.',
    ],
    ['no number', { updateQueueRateLimit: { rateLimit: { requestsPerSecond: Number.NaN } } }, 'must be non-negative'],
    [
      'a long reason',
      { updateQueueRateLimit: { ...rate, reason: 'x'.repeat(1_001) } },
      'UpdateQueueRateLimit.Reason field too long (max 1000 characters).',
    ],
    ['a long identity', { updateQueueRateLimit: rate, identity: 'x'.repeat(1_001) }, 'Identity field too long (max 1000 characters).'],
    ['no queue', { updateQueueRateLimit: rate, taskQueue: '' }, 'missing task queue name'],
    ['a weight of nobody', { setFairnessWeightOverrides: { '': 1 } }, 'fairness weight override key must not be empty'],
    ['a weight of zero', { setFairnessWeightOverrides: { a: 0 } }, 'must be greater than zero'],
    ['a long key', { unsetFairnessWeightOverrides: ['x'.repeat(65)] }, 'fairness key length exceeds limit'],
    ['set and unset', { setFairnessWeightOverrides: { a: 1 }, unsetFairnessWeightOverrides: ['a'] }, 'present in both set and unset lists'],
  ])('%s', async (_what, request, text) => {
    await expect(update(request)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(text) });
    expect((await describeQueue()).config).toBeUndefined();
  });

  it('nothing to change answers what there is', async () => {
    expect(await update({ taskQueue: '' })).toEqual({ config: { fairnessWeightOverrides: {} } });
  });
});
