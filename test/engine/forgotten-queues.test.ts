/** A node forgets task queues that nobody polls, also those on which something was offered that nobody took. */
import { expect, it } from 'vitest';
import { NO_CONFIG } from '../../server/core/task-queue-config.js';
import { POLLER_REMEMBERED_MS, TaskQueues } from '../../server/engine/matching/task-queues.js';

import type { QueueName } from '../../server/storage/tasks.js';
const QUEUE: QueueName = { namespaceId: 'n', kind: 1, queue: 'sticky-of-a-dead-worker' };

it('a query that waited in vain does not keep its queue known', () => {
  let nowMs = 1_000_000;
  const queues = new TaskQueues(() => nowMs, {
    fetch: async () => undefined,
    start: () => undefined,
    configOf: () => NO_CONFIG,
    nodesPolling: () => 1,
    alone: () => true,
    pollCame: () => undefined,
  });
  let alive = true;
  queues.offer(QUEUE, { alive: () => alive, give: () => undefined });
  nowMs += 2 * POLLER_REMEMBERED_MS;
  queues.backlogEverywhere();
  expect(queues.find(QUEUE), 'while its caller waits').toBeDefined();
  alive = false;
  queues.backlogEverywhere();
  expect(queues.find(QUEUE)).toBeUndefined();
});
