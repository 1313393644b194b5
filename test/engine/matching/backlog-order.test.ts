/** Tasks that nobody waits for: the oldest go out first, though this node keeps some of them and the rest lies in the database. */
import { describe, expect, it } from 'vitest';
import { NO_CONFIG } from '../../../server/core/task-queue-config.js';
import { MIDDLE_RANK } from '../../../server/core/priority.js';
import { CLAIM_MS, TaskQueues } from '../../../server/engine/matching/task-queues.js';
import type { QueueName, StoredTask } from '../../../server/storage/tasks.js';

const QUEUE: QueueName = { namespaceId: 'n', kind: 1, queue: 'q' };
const INFO = { identity: 'me', workerInstanceKey: '' } as Parameters<TaskQueues['wait']>[1];

/** Queues whose database is a list; `poll` takes a task as one call of a worker does. */
function backlog({ alone = true } = {}) {
  const clock = { ms: 1_000_000 };
  const stored: StoredTask[] = [];
  const claims: number[] = [];
  const went: number[] = [];
  let made = 0;
  const queues: TaskQueues = new TaskQueues(() => clock.ms, {
    async fetch(queue, wanted) {
      claims.push(wanted);
      const tasks = stored.splice(0, Math.min(wanted, 100));
      await Promise.resolve();
      queues.fetched(queue, tasks, tasks.length < wanted);
      if (tasks.length === Math.min(wanted, 100)) queues.backlog(queue);
      for (const task of tasks) queues.keep(queue, task, clock.ms + CLAIM_MS);
    },
    start(_queue, task, poller) {
      went.push(task.taskId);
      poller.end(undefined);
    },
    configOf: () => NO_CONFIG,
    nodesPolling: () => 1,
    alone: () => alone,
    pollCame: () => undefined,
  });
  return {
    queues,
    clock,
    stored,
    claims,
    went,
    /** What a commit does with a task that nobody waits for. */
    make(): void {
      const task: StoredTask = {
        ...MIDDLE_RANK,
        taskId: ++made,
        runId: 'r',
        workflowId: 'w',
        eventId: 2,
        stamp: 1,
        place: 0,
        enqueuedMs: clock.ms,
      };
      if (queues.keeps(QUEUE, MIDDLE_RANK)) queues.keep(QUEUE, task, clock.ms + CLAIM_MS);
      else {
        stored.push(task);
        queues.backlog(QUEUE);
      }
    },
    async poll(): Promise<void> {
      queues.wait(QUEUE, INFO);
      for (let i = 0; i < 20; i++) await Promise.resolve();
    },
  };
}

describe('a backlog', () => {
  it('goes out oldest first while more is added than workers take', async () => {
    const { make, poll, went, clock, stored } = backlog();
    await poll();
    for (let second = 0; second < 40; second++) {
      for (let i = 0; i < 100; i++) {
        make();
        make();
        clock.ms += 10;
        if (i % 2 === 0) await poll();
      }
    }
    expect(stored.length).toBeGreaterThan(4_000);
    // the poll at the beginning took the first of all
    const late = went.map((taskId, i) => Math.abs(taskId - (i + 1)));
    expect(went.length).toBeGreaterThan(1_900);
    expect(Math.max(...late)).toBeLessThan(10);
  });

  it('goes out by batches, not one by one', async () => {
    const { make, poll, went, claims, clock } = backlog();
    for (let i = 0; i < 2_000; i++) make();
    for (let i = 0; i < 1_000; i++) {
      clock.ms += 2;
      await poll();
    }
    expect(went.length).toBe(1_000);
    expect(claims.length).toBeLessThan(60);
  });

  it('goes out by whole tasks, whatever the pace', async () => {
    const { make, poll, claims, clock } = backlog();
    for (let i = 0; i < 2_000; i++) make();
    for (let i = 0; i < 500; i++) {
      clock.ms += 7 + (i % 13);
      await poll();
    }
    expect(claims.length).toBeGreaterThan(5);
    expect(claims.filter((wanted) => !Number.isInteger(wanted))).toEqual([]);
  });

  it('no more is kept than goes out before the claim on it ends', async () => {
    const { make, poll, queues, clock } = backlog();
    for (let i = 0; i < 500; i++) {
      make();
      make();
      clock.ms += 100;
      await poll();
    }
    // ten a second go out
    expect(queues.keptTasks).toBeGreaterThan(0);
    expect(queues.keptTasks).toBeLessThanOrEqual((10 * CLAIM_MS) / 1_000 / 2);
  });

  it('is fetched for those that wait and nobody else where there are other nodes', async () => {
    const { make, poll, claims, clock } = backlog({ alone: false });
    for (let i = 0; i < 200; i++) make();
    for (let i = 0; i < 50; i++) {
      clock.ms += 10;
      await poll();
    }
    expect(new Set(claims)).toEqual(new Set([1]));
  });
});
