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
      engine.watchers.wake(change.runId);
      return later(lookAtUpdates(engine, change.runId));
    case 'tasks':
      return engine.queues.backlog({ namespaceId: change.namespaceId, kind: change.task, queue: change.queue });
    case 'queue-shut-down': {
      const queue = { namespaceId: change.namespaceId, kind: change.task, queue: change.queue };
      engine.remotePolls.shutDown(queue);
      return engine.queues.shutDown(queue);
    }
    case 'query-rides':
      return engine.queries.heardRiding(change.runId, change.untilMs);
    case 'query-offered':
      return heardOffer(engine, from, change);
    case 'query-answered':
      if (engine.queries.find(change.queryId)) later(takeAnswers(engine));
      return;
    case 'namespaces':
      return engine.registry.forgetAll();
  }
}
