/** Where several nodes share the database: tells the others of the task queues here, and shares rate limits anew among the nodes that poll a queue. */
import type { Engine } from '../engine/engine.js';
import { QueueReporter } from '../engine/queue-report.js';

const TELL_MS = 3_000;

/** Returns the body of the loop, which returns how long to sleep. */
export function queueReporter(engine: Engine): () => Promise<number> {
  const reporter = new QueueReporter(engine);
  return async () => {
    if (!engine.otherNodes()) return TELL_MS;
    await engine.queueConfigs.refresh();
    engine.queues.refreshLimits();
    await reporter.tell();
    return TELL_MS;
  };
}
