/** What other nodes say changed. Hints: whatever is missed is found by looking. */
import { takeAnswers } from './answer-query.js';
import type { Change, Engine } from './engine.js';
import { heardOffer } from './offer-query.js';
import { lookAtUpdates } from './update-status.js';
import { heardOfWait, tellOfWait } from './watch-run.js';
import type { RunProgress } from './watchers.js';

/** No wait for an update is longer. */
const UPDATE_WAIT_MS = 20_000;

export function hear(engine: Engine, from: string, change: Change): void {
  const later = (work: Promise<void>): void => {
    work.catch((err) => engine.log.warn({ err }, 'a hint of another node could not be followed; what it was about is looked for again'));
  };
  switch (change.kind) {
    case 'run':
      later(heardOfRun(engine, change));
      break;
    case 'watch':
      heardOfWait(engine, change.runId, change.closeOnly, change.untilMs);
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

/** Another node has changed a run. When this one believed that the run was its own, the others do not know who waits for it here. */
async function heardOfRun(engine: Engine, change: Extract<Change, { kind: 'run' }>): Promise<void> {
  const { runId } = change;
  const wasOurs = engine.cache.knows(runId);
  engine.cache.drop(runId); // what is remembered of it would lose every race
  engine.watchers.wake(runId, wasOurs ? undefined : progressOf(change));
  if (wasOurs && engine.updates.of(runId).length > 0) tellOfWait(engine, runId, false, UPDATE_WAIT_MS);
  await lookAtUpdates(engine, runId);
}

const progressOf = ({ open, nextEventId }: Extract<Change, { kind: 'run' }>): RunProgress | undefined =>
  open === undefined || nextEventId === undefined ? undefined : { open, nextEventId };
