/** How a worker stops: tell the server, end the polls, finish or hand back what is held. */
import type { Logger } from '../definitions/logger.js';
import type { WorkerParts } from './assembly.js';
import type { CompiledWorkerOptions } from './compiled-options.js';
import { GracefulShutdownPeriodExpiredError } from './errors.js';
import type { WorkerHeartbeats } from './worker-heartbeats.js';

/** The longest that telling the server, and waiting for it to end polls, may take. */
const SHUTDOWN_CALL_MS = 2_000;

/** TASK_QUEUE_TYPE_WORKFLOW and _ACTIVITY */
const WORKFLOW = 1;
const ACTIVITY = 2;

/**
 * Ends all polls. The server is told first: it forgets the sticky queue, so that cached runs move to other workers at once,
 * and, where it can, completes the polls itself, so that no task is handed to a poll that is being cancelled.
 */
export async function endPolls(
  parts: WorkerParts,
  options: CompiledWorkerOptions,
  polling: Promise<unknown>,
  { serverEndsPolls, heartbeats }: { serverEndsPolls: boolean; heartbeats: WorkerHeartbeats | undefined },
  logger: Logger,
): Promise<void> {
  const pollers = [...parts.workflowPollers, ...parts.activityPollers];
  parts.takesMore = false;
  for (const poller of pollers) poller.stop();
  const taskQueueTypes = [...(parts.workflowTasks ? [WORKFLOW] : []), ...(options.activityPolls ? [ACTIVITY] : [])];
  try {
    await parts.rpcs.shutdownWorker(
      {
        namespace: options.namespace,
        identity: options.identity,
        stickyTaskQueue: parts.stickyQueue,
        taskQueue: options.taskQueue,
        taskQueueTypes,
        workerInstanceKey: parts.instanceKey,
        workerHeartbeat: heartbeats?.shuttingDown(),
        reason: 'graceful shutdown',
      },
      { deadline: Date.now() + SHUTDOWN_CALL_MS },
    );
    if (serverEndsPolls) await Promise.race([polling.catch(() => undefined), sleepUnref(SHUTDOWN_CALL_MS)]);
  } catch (err) {
    // Older servers do not know this call, and one that is down cannot be told: tasks then move after a timeout.
    logger.debug('Server was not told of the shutdown', { error: err });
  }
  for (const poller of pollers) poller.abandonPolls();
  await polling.catch(() => undefined);
}

/** Waits for all that is held; activities are told to stop when their grace time is over. */
export async function drain(parts: WorkerParts, options: CompiledWorkerOptions): Promise<void> {
  const { shutdownGraceTimeMs, shutdownForceTimeMs } = options;
  const graceTimer = setTimeout(() => {
    parts.activityTasks.cancelAll('WORKER_SHUTDOWN');
    parts.localActivities.cancelAll();
  }, shutdownGraceTimeMs);
  let forceTimer: NodeJS.Timeout | undefined;
  const forced = new Promise<never>((_resolve, reject) => {
    if (shutdownForceTimeMs === undefined) return;
    const expired = () => reject(new GracefulShutdownPeriodExpiredError(`Worker did not stop within ${shutdownForceTimeMs} ms`));
    forceTimer = setTimeout(expired, shutdownForceTimeMs);
  });
  parts.delivery.stop();
  try {
    await Promise.race([Promise.all([parts.workflowTasks?.drain(), parts.activityTasks.drain()]), forced]);
  } finally {
    clearTimeout(graceTimer);
    clearTimeout(forceTimer);
    parts.delivery.end();
  }
}

function sleepUnref(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
