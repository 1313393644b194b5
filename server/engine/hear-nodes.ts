/** What other nodes say changed. Hints: whatever is missed is found by looking. */
import { takeAnswers } from './answer-query.js';
import type { Change, Engine } from './engine.js';
import { heardOffer } from './offer-query.js';
import { lookAtUpdates } from './update-status.js';

export function hear(engine: Engine, from: string, change: Change): void {
  const later = (work: Promise<void>): void => {
    work.catch((err) => engine.log.warn({ err }, 'a hint of another node could not be followed; what it was about is looked for again'));
  };
  switch (change.kind) {
    case 'run':
      engine.cache.drop(change.runId); // what is remembered of it would lose every race
      engine.watchers.wake(change.runId);
      later(lookAtUpdates(engine, change.runId));
      break;
    case 'tasks':
      engine.queues.backlog({ namespaceId: change.namespaceId, kind: change.task, queue: change.queue });
      break;
    case 'worker-shut-down':
      engine.queues.endPollsOf(change.workerInstanceKey);
      break;
    case 'queue-shut-down': {
      const queue = { namespaceId: change.namespaceId, kind: change.task, queue: change.queue };
      engine.remotePolls.shutDown(queue);
      engine.queues.shutDown(queue);
      break;
    }
    case 'query-rides':
      engine.queries.heardRiding(change.runId, change.untilMs);
      break;
    case 'query-offered':
      heardOffer(engine, from, change);
      break;
    case 'query-answered':
      if (engine.queries.find(change.queryId)) later(takeAnswers(engine));
      break;
    case 'namespaces':
      engine.registry.forgetAll();
      break;
    case 'queue-configs':
      later(engine.queueConfigs.refresh());
      break;
    case 'node-started': // that there are others is known from hearing anything at all
      break;
  }
}
