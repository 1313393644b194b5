/** Polls that are promised to runs which are about to begin: as many as wait, unless the worker has older work. */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { MIDDLE_RANK } from '../../../server/core/priority.js';
import { NO_CONFIG } from '../../../server/core/task-queue-config.js';
import { StartPace } from '../../../server/engine/matching/start-pace.js';
import { CLAIM_MS, TaskQueues } from '../../../server/engine/matching/task-queues.js';
import { queueKey, type QueueName, type StoredTask } from '../../../server/storage/tasks.js';

const QUEUE: QueueName = { namespaceId: 'n', kind: 1, queue: 'q' };
const ACTIVITIES: QueueName = { ...QUEUE, kind: 2 };
const KEY = queueKey(QUEUE);
const INFO = { identity: 'me', workerInstanceKey: '' } as Parameters<TaskQueues['wait']>[1];

function world() {
  const came: string[] = [];
  const queues = new TaskQueues(() => 1_000_000, {
    fetch: async (queue) => queues.fetched(queue, [], true),
    start: (_queue, _task, poller) => poller.end(undefined),
    configOf: () => NO_CONFIG,
    nodesPolling: () => 1,
    alone: () => true,
    pollCame: (queue) => void came.push(queue),
  });
  const task: StoredTask = { ...MIDDLE_RANK, taskId: 1, runId: 'r', workflowId: 'w', eventId: 2, stamp: 1, place: 0, enqueuedMs: 0 };
  return {
    queues,
    came,
    poll: (queue = QUEUE) => queues.wait(queue, INFO),
    keep: (queue: QueueName) => queues.keep(queue, task, 1_000_000 + CLAIM_MS),
  };
}

describe('promised polls', () => {
  it('each waiting poll is promised once, until the turn of the event loop ends or its run takes it', async () => {
    const { queues, poll } = world();
    expect(queues.promisePoll(KEY), 'nobody ever polled').toBe(false);
    poll();
    await setImmediate(); // that there is no backlog was asked
    poll();
    expect([1, 2, 3].map(() => queues.promisePoll(KEY))).toEqual([true, true, false]);
    expect(queues.reserve(QUEUE, MIDDLE_RANK)).toBeDefined();
    expect(queues.promisePoll(KEY), 'one waits, for the second').toBe(false);
    await setImmediate();
    expect(queues.promisePoll(KEY), 'the second never came').toBe(true);
  });

  it('older tasks of the worker go first, activities as well', async () => {
    const { queues, poll, keep, came } = world();
    poll();
    poll(ACTIVITIES);
    await setImmediate();
    queues.reserve(ACTIVITIES, MIDDLE_RANK);
    keep(ACTIVITIES);
    expect(queues.promisePoll(KEY)).toBe(false);
    came.length = 0;
    poll(ACTIVITIES);
    expect(came, 'told that the last of them is gone').toEqual([KEY]);
    expect(queues.promisePoll(KEY)).toBe(true);
    await setImmediate();
    queues.backlog(QUEUE);
    expect(queues.promisePoll(KEY), 'more lie in the database').toBe(false);
  });

  it('tells of each poll that waits', async () => {
    const { poll, came } = world();
    poll();
    await setImmediate();
    poll();
    expect(came).toEqual([KEY]);
  });
});

describe('the pace of starts', () => {
  it('holds back more polls while runs that go on find none, and fewer when they do', () => {
    const clock = { ms: 0 };
    const pace = new StartPace(() => clock.ms);
    pace.waiting(100);
    const goOn = (looks: number, missed: number) => {
      for (let i = 0; i < looks; i++) {
        clock.ms += 50;
        for (let n = 0; n < 100; n++) pace.next(n >= missed);
        pace.waiting(100);
      }
      return pace.reserve;
    };
    expect(goOn(20, 0)).toBe(0);
    const held = goOn(20, 30);
    expect(held).toBeGreaterThan(30);
    expect(goOn(200, 30), 'never all of them').toBe(90);
    expect(goOn(20, 1)).toBeLessThan(90);
    expect(goOn(200, 1)).toBe(0);
  });

  it('forgets how many polls there once were', () => {
    const clock = { ms: 0 };
    const pace = new StartPace(() => clock.ms);
    pace.waiting(100);
    for (let i = 0; i < 500; i++) {
      clock.ms += 100;
      pace.next(false);
      pace.waiting(10);
    }
    expect(pace.reserve).toBe(9);
  });
});
