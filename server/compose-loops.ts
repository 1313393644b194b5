/** What a node does by itself: its loops and its ear, built around its engine. */
import type { NodeParts } from './compose-engine.js';
import type { Engine } from './engine/engine.js';
import { hear } from './engine/hear-nodes.js';
import { takeBackFrom } from './engine/lost-hand-outs.js';
import { whenItAnswers } from './engine/when-it-answers.js';
import type { Logger } from './log.js';
import { sweepBacklogOnce } from './loops/backlog-sweep.js';
import { closedRunStatistics } from './loops/closed-run-statistics.js';
import { deadRowSweeper } from './loops/dead-row-sweeper.js';
import { thisHost } from './loops/host.js';
import { Listener } from './loops/listener.js';
import { Loop } from './loops/loop.js';
import { watchNeighboursOnce } from './loops/neighbour-watch.js';
import { NodeWatch } from './loops/node-watch.js';
import { deliverOutboxOnce } from './loops/outbox-deliverer.js';
import { queueReporter } from './loops/queue-reporter.js';
import { sweepRetentionOnce } from './loops/retention-sweeper.js';
import { fireRuns, fireTimersOnce } from './loops/timer-firer.js';
import { SENDER_DELIVERS_MS } from './storage/commit.js';
import { Nodes } from './storage/nodes.js';

export interface NodeLoops {
  readonly loops: readonly Loop[];
  readonly outbox: Loop;
  readonly listener: Listener;
  readonly nodeWatch: NodeWatch;
}

/** Workers whose node died come to another, or to the same that is there again, with the answers that they have. */
const ANSWERS_COME_MS = 1_000;
/** To a node that has just come they need to find their way back first. */
const JUST_COME_MS = 5_000;
const FIND_BACK_MS = 2_000;

/** What a dead node had taken upon itself is done by others: tasks that it had fetched, messages that it was to deliver, the queues of workers that polled it. */
async function takeOver(engine: Engine, node: { id: string }, parts: NodeParts): Promise<void> {
  const nowMs = engine.clock.now();
  const [tasks, messages, queues] = await Promise.all([
    engine.tasks.releaseAll(nowMs),
    engine.outbox.releaseAll(nowMs, SENDER_DELIVERS_MS),
    engine.queuePolls.forget(node.id),
  ]);
  if (tasks > 0) engine.queues.backlogEverywhere();
  if (messages > 0) parts.outbox?.wake();
  for (const queue of queues) engine.remotePolls.shutDown(queue);
}

function takeBack(engine: Engine, node: { id: string; seenMs: number }, log: Logger): void {
  whenItAnswers(engine, async () => {
    const tasks = await takeBackFrom(engine, node);
    if (tasks > 0) log.info({ node: node.id, tasks }, 'workflow tasks that a dead node had handed out last are handed out anew');
  });
}

/** Another node has come: the tasks that this one keeps for its own workers are for the other's as well. */
function shareKept(engine: Engine, log: Logger): void {
  const kept = engine.queues.takeKept();
  if (kept.length === 0) return;
  engine.tasks.release(kept.map(({ taskId }) => taskId)).then(
    () => engine.queues.backlogEverywhere(),
    (err: unknown) => log.warn({ err }, 'tasks that were kept here are free when their claims end'),
  );
}

export function composeLoops(engine: Engine, parts: NodeParts, log: Logger): NodeLoops {
  const { outage } = parts;
  const startedMs = engine.wall.now();
  const timers = new Loop({ name: 'timer-firer', log, runOnce: () => fireTimersOnce(engine, outage) });
  const outbox = new Loop({ name: 'outbox-deliverer', log, runOnce: () => deliverOutboxOnce(engine) });
  const meet = (others: boolean): void => {
    const first = others && !parts.announcer.others;
    parts.announcer.others = others;
    if (!first) return;
    shareKept(engine, log);
    timers.wake(); // from now on they look for what others store
    outbox.wake();
  };
  const nodeWatch = new NodeWatch({
    nodes: new Nodes(engine.database),
    self: { id: engine.nodeId, host: thisHost(), pid: process.pid, startedMs },
    now: () => engine.wall.now(),
    log,
    onOthers(others) {
      meet(others);
      parts.lookedMs = engine.wall.now();
    },
    greet: async () => engine.notify({ kind: 'node-started' }),
    onDead(node) {
      takeOver(engine, node, parts).catch((err: unknown) => log.warn({ err, node: node.id }, 'what a dead node was about is taken over only when its claims end'));
      const waitMs = engine.wall.now() - startedMs < JUST_COME_MS ? FIND_BACK_MS : ANSWERS_COME_MS;
      setTimeout(() => takeBack(engine, node, log), waitMs).unref();
    },
  });
  const backlogSweep = new Loop({ name: 'backlog-sweep', log, runOnce: () => sweepBacklogOnce(engine) });
  const neighbours = new Loop({ name: 'neighbour-watch', log, runOnce: () => watchNeighboursOnce(engine) });
  const reporter = new Loop({ name: 'queue-reporter', log, runOnce: queueReporter(engine) });
  const sweeper = new Loop({ name: 'retention-sweeper', log, runOnce: () => sweepRetentionOnce(engine) });
  const deadRows = new Loop({ name: 'dead-row-sweeper', log, runOnce: deadRowSweeper(engine) });
  const statistics = new Loop({ name: 'closed-run-statistics', log, runOnce: closedRunStatistics(engine) });
  parts.timers = timers;
  parts.outbox = outbox;
  parts.fireRuns = (runIds) =>
    void fireRuns(engine, runIds).catch((err) => log.warn({ err }, 'what is due could not be done; it is tried again'));
  parts.sweeper = sweeper;
  const listener = new Listener(
    engine,
    (from, change) => {
      meet(true);
      if (change.kind === 'node-started') nodeWatch.loop.wake();
      hear(engine, from, change);
    },
    () => {
      engine.queues.backlogEverywhere();
      engine.watchers.wakeAll();
      neighbours.wake();
      reporter.wake();
      engine.registry.forgetAll();
    },
  );
  return {
    loops: [timers, outbox, nodeWatch.loop, neighbours, reporter, backlogSweep, sweeper, deadRows, statistics],
    outbox,
    listener,
    nodeWatch,
  };
}
