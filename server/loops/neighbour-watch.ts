/** Where several nodes share the database: tells the others which queues are polled here, and looks for what a lost notification would have told. */
import { takeAnswers } from '../engine/answer-query.js';
import type { Engine } from '../engine/engine.js';
import { hear } from '../engine/hear-nodes.js';
import { lookAtAllUpdates } from '../engine/update-status.js';

const LOOK_MS = 2_000;
/** Polls longer ago are of no interest to anybody. */
const STALE_MS = 60_000;
/** A rate limit is shared among the nodes at which a queue was polled so lately. */
const POLLED_LATELY_MS = 10_000;

/** Returns how long to sleep. */
export async function watchNeighboursOnce(engine: Engine): Promise<number> {
  if (!engine.otherNodes()) return LOOK_MS;
  const nowMs = engine.wall.now();
  await engine.queuePolls.tell(engine.nodeId, engine.queues.polledSince(nowMs - STALE_MS), nowMs - STALE_MS);
  engine.remotePolls.heard(await engine.queuePolls.ofOthers(engine.nodeId, nowMs - STALE_MS, nowMs - POLLED_LATELY_MS));
  if (engine.queries.size > 0) await takeAnswers(engine);
  for (const { nodeId, queryId, runId, offer, untilMs } of await engine.sharedQueries.ofOthers(engine.nodeId, nowMs)) {
    hear(engine, nodeId, offer ? { kind: 'query-offered', queryId, runId, ...offer } : { kind: 'query-rides', runId, untilMs });
  }
  engine.queries.sweep(nowMs);
  await engine.sharedQueries.sweep(nowMs);
  await lookAtAllUpdates(engine);
  return LOOK_MS;
}
