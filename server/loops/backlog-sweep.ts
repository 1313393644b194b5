/** Looks for tasks that pollers here were not told of: a notification was lost, a fetch failed, the claim of a node that died has ended. */
import type { Engine } from '../engine/engine.js';

const LOOK_MS = 2_000;

/** One question for all queues, however many there are: most of them are those of workers that have nothing to do. Returns how long to sleep. */
export async function sweepBacklogOnce(engine: Engine): Promise<number> {
  const idle = engine.queues.lookOver();
  if (idle.length > 0) for (const queue of await engine.tasks.ready(idle, engine.clock.now())) engine.queues.backlog(queue);
  return LOOK_MS;
}
