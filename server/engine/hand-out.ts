/**
 * Dispatch inside the commit: what a transition makes ready goes to a poller that waits here, and the same commit records it as started.
 * What nobody waits for becomes a row of the task queue. Called before the commit; `deliver` answers the pollers after it.
 */
import { crashPoint } from '../crash-points.js';
import { startActivity } from '../core/kinds/activity-attempt.js';
import { startWorkflowTask } from '../core/kinds/workflow-task.js';
import { bytesOf } from '../core/encode.js';
import { type TaskRank, taskRank } from '../core/priority.js';
import type { Turn } from '../core/turn.js';
import type { TaskWrite } from '../storage/commit-item.js';
import type { QueueName } from '../storage/tasks.js';
import { activityTaskAnswer, PollActivityTaskQueueResponse } from './activity-task-answer.js';
import { EncodedResponse } from './call.js';
import type { Engine } from './engine.js';
import { eventOf } from './events-of.js';
import type { Poller } from './matching/poller.js';
import { handOutId } from './ids.js';
import { CLAIM_MS } from './matching/task-queues.js';
import type { CachedRun } from './run-cache.js';
import { workflowTaskAnswer } from './workflow-task-answer.js';

export interface Reservation {
  queue: QueueName;
  poller: Poller;
  turn: Turn;
  /** The activity handed out; 0 = the workflow task. */
  scheduledEventId: number;
  requestId: string;
}

export interface HandedOut {
  reservations: Reservation[];
  tasks: TaskWrite[];
}

/** A sticky queue whose worker has not polled for so long is given up at once. */
const STICKY_POLLER_GONE_MS = 10_000;

export function handOut(engine: Engine, turn: Turn, out: HandedOut = { reservations: [], tasks: [] }): HandedOut {
  for (const effect of turn.effects) {
    if (effect.type === 'workflow-task-ready') handOutWorkflowTask(engine, turn, out);
    else if (effect.type === 'activity-ready') handOutActivity(engine, turn, effect.scheduledEventId, out);
    else if (effect.type === 'new-run') handOut(engine, effect.turn as Turn, out);
  }
  return out;
}

/** Milliseconds since a worker last polled a queue, at this node or another. */
export const sinceLastPoll = (engine: Engine, queue: QueueName): number =>
  Math.min(engine.queues.sinceLastPoll(queue), engine.otherNodes() ? engine.remotePolls.sinceLastPoll(queue) : Number.POSITIVE_INFINITY);

/** Whether nobody polls a worker's own queue any more. */
export const stickyWorkerGone = (engine: Engine, queue: QueueName): boolean =>
  sinceLastPoll(engine, queue) >= STICKY_POLLER_GONE_MS && !(engine.otherNodes() && engine.remotePolls.inDoubt(queue));

/** The queue of the pending workflow task; one whose sticky worker is gone moves to the normal queue. */
export function workflowTaskQueue(engine: Engine, turn: Turn): QueueName {
  const { state } = turn;
  const task = state.workflowTask!;
  const name: QueueName = { namespaceId: state.info.namespaceId, kind: 1, queue: task.queue };
  if (!task.sticky || !stickyWorkerGone(engine, name)) return name;
  task.sticky = false;
  task.queue = state.info.taskQueue;
  if (task.kind === 'normal') task.scheduleToStartMs = 0;
  state.sticky = null;
  turn.touched = true;
  return { ...name, queue: task.queue };
}

function handOutWorkflowTask(engine: Engine, turn: Turn, out: HandedOut): void {
  const { state } = turn;
  const task = state.workflowTask;
  if (!task || task.startedEventId) return;
  const queue = workflowTaskQueue(engine, turn);
  const rank = taskRank(state.info.priority, null);
  const poller = engine.queues.reserve(queue, rank);
  if (task.sticky) noteNext(engine, turn, poller);
  if (poller) {
    engine.load.meter.taskWaited(0);
    const requestId = handOutId(engine);
    startWorkflowTask(turn, { ...poller.info, requestId });
    out.reservations.push({ queue, poller, turn, scheduledEventId: 0, requestId });
    return;
  }
  out.tasks.push(taskRow(engine, turn, queue, task.scheduledEventId, task.attempt, rank));
}

function handOutActivity(engine: Engine, turn: Turn, scheduledEventId: number, out: HandedOut): void {
  const { state } = turn;
  const activity = state.activities[scheduledEventId];
  if (!activity || activity.startedMs || activity.paused) return;
  const queue: QueueName = { namespaceId: state.info.namespaceId, kind: 2, queue: activity.queue };
  const rank = taskRank(state.info.priority, activity.priority);
  const poller = engine.queues.reserve(queue, rank);
  noteNext(engine, turn, poller);
  if (poller) {
    engine.load.meter.taskWaited(0);
    const requestId = handOutId(engine);
    startActivity(turn, activity, { identity: poller.info.identity, requestId });
    out.reservations.push({ queue, poller, turn, scheduledEventId, requestId });
    return;
  }
  out.tasks.push(taskRow(engine, turn, queue, scheduledEventId, activity.stamp, rank));
}

/** Whether a run that is under way found a worker for its next task: if not, its queue has too many runs under way. */
const noteNext = (engine: Engine, { state: { info } }: Turn, poller: Poller | undefined): void =>
  engine.queues.noteNext({ namespaceId: info.namespaceId, kind: 1, queue: info.taskQueue }, poller !== undefined);

function taskRow(engine: Engine, turn: Turn, queue: QueueName, eventId: number, stamp: number, rank: TaskRank): TaskWrite {
  const { info } = turn.state;
  const place = Math.floor(engine.queues.place(queue, rank));
  // with other nodes about, the next poll may come to any of them
  const claimUntilMs = !engine.otherNodes() && engine.queues.keeps(queue, rank) ? turn.nowMs + CLAIM_MS : 0;
  return { ...queue, ...rank, place, runId: info.runId, workflowId: info.workflowId, eventId, stamp, claimUntilMs };
}

/** Gives reserved pollers back: their transition did not happen. */
export function giveBack(engine: Engine, { reservations }: HandedOut): void {
  for (const { queue, poller } of reservations) engine.queues.release(queue, poller);
}

/** Whether their transition happened is not known: that decides what becomes of the pollers. */
export function holdOn(engine: Engine, { reservations }: HandedOut): void {
  for (const turn of new Set(reservations.map((r) => r.turn)))
    engine.unsettled(
      turn.state.info.runId,
      reservations.filter((r) => r.turn === turn),
    );
}

/** Answers the pollers of one run whose commit is through. `turn`: the transition that was committed, whose events need not be read again. */
export async function deliver(
  engine: Engine,
  run: CachedRun,
  reservations: readonly Pick<Reservation, 'poller' | 'scheduledEventId'>[],
  turn?: Turn,
): Promise<void> {
  for (const { poller, scheduledEventId } of reservations) {
    if (scheduledEventId === 0) {
      poller.end(await workflowTaskAnswer(engine, run));
      crashPoint('after-hand-out');
      continue;
    }
    const activity = run.state.activities[scheduledEventId];
    if (!activity) continue;
    const scheduled = turn?.appended(scheduledEventId) ?? (await eventOf(engine, run, scheduledEventId));
    poller.end(new EncodedResponse(bytesOf(PollActivityTaskQueueResponse, activityTaskAnswer(run.state, activity, scheduled))));
    crashPoint('after-hand-out');
  }
}
