/**
 * Puts a query to a worker. On a run whose workflow task is pending it rides on that task, behind the events that the query must see; on an idle
 * or closed run it is a task of its own, first for the worker that holds the run. Other nodes are told, as the worker may poll there.
 */
import { enums } from '../core/api.js';
import { detail, notFound, ServiceError } from '../core/errors.js';
import { isRunning } from '../core/kinds/run.js';
import { keepsFailing } from '../core/kinds/task-problem.js';
import type { RunState } from '../core/run-state.js';
import type { QueueName } from '../storage/tasks.js';
import type { Engine } from './engine.js';
import { sinceLastPoll, stickyWorkerGone } from './hand-out.js';
import { offerQuery } from './offer-query.js';
import type { PendingQuery } from './pending-queries.js';
import { SharedQuery } from './shared-query.js';
import { transact } from './transact.js';
import { tellOfWait } from './watch-run.js';

/** A waiting query looks at its run by itself from time to time, should word from another node be lost. */
const LOOK_AGAIN_MS = 1_000;
/** Queries that wait for the workflow task of one run. */
const RIDING_MAX = 100;
/** A queue that was polled so lately still has a worker. */
const POLLED_LATELY_MS = 20_000;

const notReady = (message: string): ServiceError => new ServiceError('FAILED_PRECONDITION', message, [detail('WorkflowNotReadyFailure')]);

const bufferFull = (): ServiceError =>
  new ServiceError('RESOURCE_EXHAUSTED', `query buffer is full: ${RIDING_MAX} queries wait for the workflow task of this run`, [
    detail('ResourceExhaustedFailure', {
      cause: enums.ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW,
      scope: enums.ResourceExhaustedScope.RESOURCE_EXHAUSTED_SCOPE_NAMESPACE,
    }),
  ]);

/** Nothing has happened that the worker has yet to be shown. */
const isIdle = (state: RunState): boolean => !isRunning(state) || (!state.workflowTask && state.previousStartedEventId > 0);

/** Why a run in that state will not be asked. */
function hindrance(engine: Engine, pending: PendingQuery, state: RunState): ServiceError | undefined {
  if (!isRunning(state)) {
    return state.previousStartedEventId ? undefined : notReady('Workflow execution closed before WorkflowTaskStarted event');
  }
  if (state.firstTaskAtMs > pending.untilMs && !state.workflowTask) return notReady('Workflow task is not scheduled yet.');
  if (keepsFailing(state)) return notReady('Unable to query workflow due to Workflow Task in failed state.');
  const others = engine.queries.ridingOn(pending.runId).filter((query) => query !== pending);
  return !isIdle(state) && others.length >= RIDING_MAX ? bufferFull() : undefined;
}

/** Asks until the query is settled, by an answer or because its caller has waited long enough. `state`: the run as it was read just now. */
export async function askQuery(engine: Engine, pending: PendingQuery, state: RunState): Promise<void> {
  const shared = new SharedQuery(engine, pending);
  try {
    if (hindrance(engine, pending, state) || isIdle(state)) await step(engine, pending, shared, state);
    tellOfWait(engine, pending.runId, false, pending.untilMs - engine.wall.now());
    while (!pending.settled()) {
      const watch = engine.watchers.watch(pending.runId, LOOK_AGAIN_MS);
      const run = await engine.runs.load(pending.runId);
      if (!run) pending.settle(notFound(`workflow execution not found: run ${pending.runId}`));
      else if (await step(engine, pending, shared, run.state)) await Promise.race([watch.changed, pending.over]);
      watch.stop();
    }
  } finally {
    await shared.end();
  }
}

/** Does what the state of the run allows; true when that is to ride on the next workflow task. */
async function step(engine: Engine, pending: PendingQuery, shared: SharedQuery, state: RunState): Promise<boolean> {
  const refusal = hindrance(engine, pending, state);
  if (refusal) pending.settle(refusal);
  else if (isIdle(state)) await askDirectly(engine, pending, shared, state);
  else {
    engine.queries.ride(pending);
    await shared.rides();
    return true;
  }
  return false;
}

async function askDirectly(engine: Engine, pending: PendingQuery, shared: SharedQuery, state: RunState): Promise<void> {
  const { info, sticky } = state;
  engine.queries.unride(pending);
  const queueOf = (queue: string): QueueName => ({ namespaceId: info.namespaceId, kind: 1, queue });
  if (sticky) {
    const queue = queueOf(sticky.queue);
    const untilMs = Math.min(pending.untilMs, engine.wall.now() + sticky.scheduleToStartMs);
    if (!stickyWorkerGone(engine, queue)) await offerQuery(engine, pending, shared, { queue, state, sticky: true, untilMs });
    if (pending.settled()) return;
    if (isRunning(state)) await forgetSticky(engine, pending.runId, sticky.queue);
  }
  await offerQuery(engine, pending, shared, { queue: queueOf(info.taskQueue), state, sticky: false, untilMs: pending.untilMs });
  await pending.over;
}

/** The worker that holds the run does not answer: the run's next task goes to any worker. */
async function forgetSticky(engine: Engine, runId: string, queue: string): Promise<void> {
  await transact(engine, runId, (turn) => {
    if (!isRunning(turn.state) || turn.state.sticky?.queue !== queue) return;
    turn.state.sticky = null;
    turn.touched = true;
  });
}

/** Why nobody answered in time. */
export function unanswered(engine: Engine, state: RunState): ServiceError {
  const queue: QueueName = { namespaceId: state.info.namespaceId, kind: 1, queue: state.info.taskQueue };
  if (isIdle(state) && sinceLastPoll(engine, queue) > POLLED_LATELY_MS) {
    return new ServiceError('FAILED_PRECONDITION', 'no poller seen for task queue recently, worker may be down');
  }
  return new ServiceError('DEADLINE_EXCEEDED', 'query timed out before a worker could process it');
}
