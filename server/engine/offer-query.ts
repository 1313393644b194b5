/** Offers a query to the pollers of a task queue, at this node and at others. */
import { api } from '../core/api.js';
import type { RunState } from '../core/run-state.js';
import type { QueueName } from '../storage/tasks.js';
import type { Change, Engine } from './engine.js';
import type { Poller } from './matching/poller.js';
import type { PendingQuery } from './pending-queries.js';
import { type AskedQuery, queryTask } from './query-task.js';
import type { SharedQuery } from './shared-query.js';

/** Other nodes are told again from time to time, should word have been lost. */
const TELL_AGAIN_MS = 1_000;

export interface Offer {
  queue: QueueName;
  /** The run as it was read just now. */
  state: RunState;
  /** The queue is that of the worker which holds the run. */
  sticky: boolean;
  /** When it ends, in milliseconds since the epoch. */
  untilMs: number;
}

/** Returns when the query is settled, or the offer has stood for its time. */
export async function offerQuery(
  engine: Engine,
  pending: PendingQuery,
  shared: SharedQuery,
  { queue, state, sticky, untilMs }: Offer,
): Promise<void> {
  const asked: AskedQuery = { id: pending.id, nodeId: engine.nodeId, query: pending.query };
  let known: RunState | undefined = state;
  let over = false;
  const given = engine.queues.offer(queue, {
    alive: () => !over && !pending.settled(),
    give: (poller) =>
      void hand(engine, { queue, poller, runId: pending.runId, sticky, known }, async () => ((await shared.take()) ? asked : undefined)),
  });
  known = undefined; // whoever takes it later reads the run again
  const elsewhere = { namespaceId: queue.namespaceId, queue: queue.queue, sticky, untilMs };
  while (!pending.settled() && engine.wall.now() < untilMs) {
    if (!given) await shared.offered(elsewhere);
    await settledWithin(pending, Math.min(untilMs - engine.wall.now(), TELL_AGAIN_MS));
  }
  over = true;
}

async function settledWithin(pending: PendingQuery, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const time = new Promise((resolve) => {
    timer = setTimeout(resolve, Math.max(0, ms));
  });
  await Promise.race([pending.over, time]);
  clearTimeout(timer);
}

interface Taker {
  queue: QueueName;
  poller: Poller;
  runId: string;
  sticky: boolean;
  known: RunState | undefined;
}

/** Hands a query to a poller. When it is not to be had any more, the poller waits on. */
async function hand(
  engine: Engine,
  { queue, poller, runId, sticky, known }: Taker,
  take: () => Promise<AskedQuery | undefined>,
): Promise<void> {
  poller.reserved = true;
  try {
    const [asked, state] = await Promise.all([take(), known ?? engine.runs.load(runId).then((run) => run?.state)]);
    if (asked && state) poller.end(await queryTask(engine, asked, state, sticky));
  } catch (error) {
    engine.log.warn({ err: error, runId }, 'a query could not be put to a worker');
  } finally {
    engine.queues.release(queue, poller);
  }
}

/** Another node has a query for a worker that may poll here. */
export function heardOffer(engine: Engine, from: string, change: Extract<Change, { kind: 'query-offered' }>): void {
  const { queryId, runId, namespaceId, sticky, untilMs } = change;
  if (!engine.queries.heardOffer(`${queryId}/${change.queue}`, untilMs)) return;
  const queue: QueueName = { namespaceId, kind: 1, queue: change.queue };
  const take = async (): Promise<AskedQuery | undefined> => {
    const query = await engine.sharedQueries.take(queryId, engine.wall.now());
    return query && { id: queryId, nodeId: from, query: api.query.v1.WorkflowQuery.decode(query) };
  };
  engine.queues.offer(queue, {
    alive: () => engine.wall.now() < untilMs,
    give: (poller) => void hand(engine, { queue, poller, runId, sticky, known: undefined }, take),
  });
}
