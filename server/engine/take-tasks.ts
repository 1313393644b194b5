/** Tasks that lie in the database: claimed in batches for pollers that wait here, started by a commit that deletes their row. */
import { startActivity } from '../core/kinds/activity.js';
import { isRunning } from '../core/kinds/run.js';
import { startWorkflowTask } from '../core/kinds/workflow-task.js';
import type { Turn } from '../core/turn.js';
import type { QueueName, StoredTask } from '../storage/tasks.js';
import type { Engine } from './engine.js';
import { deliver } from './hand-out.js';
import type { Poller } from './matching/poller.js';
import { transact } from './transact.js';
import { ServiceError } from '../core/errors.js';

/** How long a claim holds when its node dies. */
const CLAIM_MS = 10_000;
const BATCH_MAX = 100;

/** Fetches up to `wanted` tasks of a queue and hands them out. */
export async function takeTasks(engine: Engine, queue: QueueName, wanted: number): Promise<void> {
  const limit = Math.min(Math.max(wanted, 1), BATCH_MAX);
  const nowMs = engine.clock.now();
  const tasks = await engine.tasks.claim(queue, limit, nowMs, nowMs + CLAIM_MS);
  if (tasks.length === limit) engine.queues.backlog(queue);
  await Promise.all(tasks.map((task) => handOutStored(engine, queue, task)));
}

async function handOutStored(engine: Engine, queue: QueueName, task: StoredTask): Promise<void> {
  const poller = engine.queues.reserve(queue);
  if (!poller) {
    await engine.tasks.release([task.taskId]);
    engine.queues.backlog(queue);
    return;
  }
  try {
    const started = await startStored(engine, queue, task, poller);
    if (started) return;
    await engine.tasks.remove([task.taskId]);
    engine.queues.release(queue, poller);
  } catch (error) {
    engine.queues.release(queue, poller);
    if (error instanceof ServiceError && error.code === 'NOT_FOUND') await engine.tasks.remove([task.taskId]);
    else throw error;
  }
}

/** False when the task is void: the run has moved on. */
function startStored(engine: Engine, queue: QueueName, task: StoredTask, poller: Poller): Promise<boolean> {
  const by = { identity: poller.info.identity, requestId: engine.ids.newId() };
  return transact(
    engine,
    task.runId,
    (turn) => (queue.kind === 1 ? startWorkflow(turn, queue, task, by) : startOneActivity(turn, task, by)),
    {
      takenTask: task.taskId,
      async after(run, started) {
        if (!started) return;
        const scheduledEventId = queue.kind === 1 ? 0 : task.eventId;
        await deliver(engine, run, [{ queue, poller, turn: undefined as never, scheduledEventId }]);
      },
    },
  );
}

function startWorkflow(turn: Turn, queue: QueueName, task: StoredTask, by: { identity: string; requestId: string }): boolean {
  const { state } = turn;
  const pending = state.workflowTask;
  if (!isRunning(state) || !pending || pending.startedEventId) return false;
  if (pending.scheduledEventId !== task.eventId || pending.queue !== queue.queue || pending.attempt !== task.stamp) return false;
  startWorkflowTask(turn, by);
  return true;
}

function startOneActivity(turn: Turn, task: StoredTask, by: { identity: string; requestId: string }): boolean {
  const activity = turn.state.activities[task.eventId];
  if (!isRunning(turn.state) || !activity || activity.startedMs || activity.paused || !activity.queued || activity.stamp !== task.stamp) return false;
  startActivity(turn, activity, by);
  return true;
}

