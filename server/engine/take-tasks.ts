/** Tasks that lie in the database: claimed in batches for pollers that wait here, started by a commit that deletes their row. */
import { startActivity } from '../core/kinds/activity-attempt.js';
import { isRunning } from '../core/kinds/run.js';
import { startWorkflowTask } from '../core/kinds/workflow-task.js';
import type { Turn } from '../core/turn.js';
import { DatabaseLost } from '../storage/database.js';
import type { QueueName, StoredTask } from '../storage/tasks.js';
import type { Engine } from './engine.js';
import { deliver } from './hand-out.js';
import { addPast, type PastRows, rowsForTask } from './history-for-task.js';
import { handOutId } from './ids.js';
import type { Poller, PollerInfo } from './matching/poller.js';
import { CLAIM_MS } from './matching/task-queues.js';
import { transact } from './transact.js';
import { whenItAnswers } from './when-it-answers.js';
import { ServiceError } from '../core/errors.js';

const BATCH_MAX = 100;

/** Fetches up to `wanted` tasks of a queue and hands them out; those of `heldKeys` must wait. */
export async function takeTasks(engine: Engine, queue: QueueName, wanted: number, heldKeys: readonly string[] = []): Promise<void> {
  try {
    await claimTasks(engine, queue, wanted, heldKeys);
  } catch (error) {
    if (!(error instanceof DatabaseLost))
      engine.log.warn({ err: error, queue: queue.queue }, 'tasks could not be fetched; a later look tries again');
    throw error;
  }
}

async function claimTasks(engine: Engine, queue: QueueName, wanted: number, heldKeys: readonly string[]): Promise<void> {
  const limit = Math.min(Math.max(wanted, 1), BATCH_MAX);
  const nowMs = engine.clock.now();
  const untilMs = nowMs + CLAIM_MS;
  const tasks = await engine.tasks.claim(queue, limit, nowMs, untilMs, { without: heldKeys, withRuns: engine.otherNodes() }).catch((error: unknown) => {
    // what was claimed all the same nobody knows of
    if (error instanceof DatabaseLost) whenItAnswers(engine, () => engine.tasks.unclaim(queue, untilMs).then((some) => void (some && engine.queues.backlog(queue))));
    throw error;
  });
  engine.queues.fetched(queue, tasks, tasks.length < limit && heldKeys.length === 0);
  if (tasks.length === limit) engine.queues.backlog(queue);
  const left = tasks.filter((task) => !engine.queues.startNow(queue, task));
  if (left.length === 0) return;
  if (!engine.otherNodes()) {
    for (const task of left) engine.queues.keep(queue, task, untilMs);
    return;
  }
  // the pollers that these were fetched for are gone: another node may have some
  await engine.tasks.release(left.map((task) => task.taskId));
  engine.queues.backlog(queue);
  engine.notify({ kind: 'tasks', namespaceId: queue.namespaceId, task: queue.kind, queue: queue.queue });
}

/** Starts a claimed task for a poller; a void one is removed, and the poller waits on. */
export function startTask(engine: Engine, queue: QueueName, task: StoredTask, poller: Poller): void {
  // one that a rate limit held back says nothing of how busy this node is
  if (!engine.queues.find(queue)?.limiter) engine.load.meter.taskWaited(engine.clock.now() - task.enqueuedMs);
  void tryStart(engine, queue, task, poller).catch((error) => {
    // its claim ends by itself, and then it is fetched again
    engine.log.warn({ err: error, runId: task.runId }, 'a task could not be handed out; it is tried again');
  });
}

async function tryStart(engine: Engine, queue: QueueName, task: StoredTask, poller: Poller): Promise<void> {
  const requestId = handOutId(engine);
  try {
    if (await startStored(engine, queue, task, poller, requestId)) return;
  } catch (error) {
    if (error instanceof DatabaseLost) {
      engine.unsettled(task.runId, [{ queue, poller, scheduledEventId: queue.kind === 1 ? 0 : task.eventId, requestId }]);
      throw error;
    }
    if (!(error instanceof ServiceError) || error.code !== 'NOT_FOUND') {
      engine.queues.release(queue, poller);
      throw error;
    }
  }
  engine.queues.release(queue, poller);
  await engine.tasks.remove([task.taskId]);
}

/** False when the task is void: the run has moved on. */
function startStored(engine: Engine, queue: QueueName, task: StoredTask, poller: Poller, requestId: string): Promise<boolean> {
  const by = { ...poller.info, requestId };
  let history: Promise<PastRows> | undefined;
  return transact(
    engine,
    task.runId,
    (turn) => (queue.kind === 1 ? startWorkflow(turn, queue, task, by) : startOneActivity(turn, task, by)),
    {
      takenTask: task.taskId,
      loaded: task.run,
      prepare(run) {
        if (queue.kind === 1) history = rowsForTask(engine, run);
      },
      async after(run, started) {
        if (!started) return;
        if (history) addPast(run, await history);
        const scheduledEventId = queue.kind === 1 ? 0 : task.eventId;
        await deliver(engine, run, [{ poller, scheduledEventId }]);
      },
    },
  );
}

function startWorkflow(turn: Turn, queue: QueueName, task: StoredTask, by: PollerInfo & { requestId: string }): boolean {
  const { state } = turn;
  const pending = state.workflowTask;
  if (!isRunning(state) || !pending || pending.startedEventId) return false;
  if (pending.scheduledEventId !== task.eventId || pending.queue !== queue.queue || pending.attempt !== task.stamp) return false;
  startWorkflowTask(turn, by);
  return true;
}

function startOneActivity(turn: Turn, task: StoredTask, by: { identity: string; requestId: string }): boolean {
  const activity = turn.state.activities[task.eventId];
  if (!isRunning(turn.state) || !activity || activity.startedMs || activity.paused || !activity.queued || activity.stamp !== task.stamp)
    return false;
  startActivity(turn, activity, by);
  return true;
}
