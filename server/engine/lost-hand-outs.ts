/**
 * Tasks that count as started though no worker has them: the database was lost while it had the commit, or the node died between its commit and the
 * worker's answer. Their timeouts would bring them back; this does so as soon as it can be known.
 */
import { enums } from '../core/api.js';
import { isRunning } from '../core/kinds/run.js';
import { scheduleWorkflowTask } from '../core/kinds/workflow-task.js';
import { failWorkflowTask } from '../core/kinds/workflow-task-end.js';
import type { RunState } from '../core/run-state.js';
import { ServiceError } from '../core/errors.js';
import type { Engine } from './engine.js';
import { deliver } from './hand-out.js';
import { handOutTag } from './ids.js';
import { addPast, rowsForTask } from './history-for-task.js';
import type { HeldPoll } from './matching/poller.js';
import { transact } from './transact.js';

const LOOK_AGAIN_MS = 250;
/** Workers have no use for a poll's answer that comes later. */
const GIVE_UP_MS = 60_000;

/** A dead node has been seen this long before it handed out its last tasks, at most. */
const LAST_WORDS_MS = 1_000;
/** Runs that are due in this time have what a node handed out lately. */
const DUE_WITHIN_MS = 60_000;
const RUNS_MAX = 2_000;

const hasStarted = (state: RunState, { scheduledEventId, requestId }: Pick<HeldPoll, 'scheduledEventId' | 'requestId'>): boolean => {
  if (!isRunning(state)) return false;
  const task = scheduledEventId === 0 ? state.workflowTask : state.activities[scheduledEventId];
  return task?.requestId === requestId && task.startedMs > 0;
};

/**
 * The database was lost with the commit that hands out tasks of a run. Their polls wait until it answers again: then they get the tasks,
 * which nobody else can have, or go back to their queues.
 */
export function settleLater(engine: Engine, runId: string, held: readonly HeldPoll[]): void {
  const untilMs = engine.wall.now() + GIVE_UP_MS;
  const look = (): void => {
    engine.serial
      .run(runId, () => settleNow(engine, runId, held))
      .then(
        (left) => takeBackAll(engine, runId, left),
        (err: unknown) => {
          if (engine.wall.now() < untilMs) setTimeout(look, LOOK_AGAIN_MS).unref();
          else {
            engine.log.warn({ err, runId }, 'tasks whose commit was lost are left to their timeouts');
            for (const { queue, poller } of held) engine.queues.release(queue, poller);
          }
        },
      );
  };
  setTimeout(look, LOOK_AGAIN_MS).unref();
}

/** Returns those that were started, and whose worker has gone away meanwhile. */
async function settleNow(engine: Engine, runId: string, held: readonly HeldPoll[]): Promise<HeldPoll[]> {
  const loaded = await engine.runs.load(runId);
  const started = loaded ? held.filter((one) => hasStarted(loaded.state, one)) : [];
  const here = started.filter(({ poller }) => poller.waiting && !poller.overdue);
  if (loaded && here.length > 0) {
    const run = { ...loaded, recent: [], recentFrom: loaded.state.nextEventId };
    if (here.some(({ scheduledEventId }) => scheduledEventId === 0)) addPast(run, await rowsForTask(engine, run));
    await deliver(engine, run, here);
  }
  for (const one of held) if (!here.includes(one)) engine.queues.release(one.queue, one.poller);
  return started.filter((one) => !here.includes(one));
}

function takeBackAll(engine: Engine, runId: string, lost: readonly HeldPoll[]): void {
  for (const { scheduledEventId, requestId } of lost) {
    // an activity may be one that must not begin twice; nothing but its timeout says that it did not
    if (scheduledEventId === 0) void takeBack(engine, runId, requestId);
  }
}

/** The workflow task that was handed out with that request id goes to another worker, unless it was answered. */
async function takeBack(engine: Engine, runId: string, requestId: string): Promise<void> {
  try {
    await transact(engine, runId, (turn) => {
      if (!hasStarted(turn.state, { scheduledEventId: 0, requestId })) return;
      failWorkflowTask(turn, {
        cause: enums.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FAILOVER_CLOSE_COMMAND,
        identity: 'history-service',
      });
      scheduleWorkflowTask(turn);
    });
  } catch (err) {
    if (!(err instanceof ServiceError)) engine.log.warn({ err, runId }, 'a workflow task that no worker has is left to its timeout');
  }
}

/**
 * A node has died. Workflow tasks that it handed out in its last moments, and that nobody has answered since, are handed out anew: to whom they were
 * given may never have heard of them. Those that are older were certainly heard of.
 */
export async function takeBackFrom(engine: Engine, node: { id: string; seenMs: number }): Promise<number> {
  const nowMs = engine.clock.now();
  const due = await engine.runs.due(0, nowMs + DUE_WITHIN_MS, RUNS_MAX);
  const tag = handOutTag(node.id);
  const lost: { runId: string; requestId: string }[] = [];
  for (const { state } of (await engine.runs.loadAll(due.runIds)).values()) {
    const task = state.workflowTask;
    if (task && task.startedMs >= node.seenMs - LAST_WORDS_MS && task.requestId.startsWith(tag)) lost.push({ runId: state.info.runId, requestId: task.requestId });
  }
  await Promise.all(lost.map(({ runId, requestId }) => takeBack(engine, runId, requestId)));
  return lost.length;
}
