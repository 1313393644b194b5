/** ShutdownWorker: a worker says goodbye. Its sticky queue counts as gone, and its waiting polls are answered. */
import type { temporal } from '../core/api.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { recordHeartbeats } from './worker-registry.js';

type Request = temporal.api.workflowservice.v1.IShutdownWorkerRequest;

export async function shutDownWorker(engine: Engine, request: Request, _call: Call): Promise<object> {
  const namespace = await engine.registry.require(request.namespace);
  if (request.stickyTaskQueue) {
    engine.queues.shutDown({ namespaceId: namespace.id, kind: 1, queue: request.stickyTaskQueue });
    engine.notify({ kind: 'queue-shut-down', namespaceId: namespace.id, task: 1, queue: request.stickyTaskQueue });
  }
  if (request.workerInstanceKey) {
    engine.queues.endPollsOf(request.workerInstanceKey);
    engine.notify({ kind: 'worker-shut-down', workerInstanceKey: request.workerInstanceKey });
  }
  if (request.workerHeartbeat) {
    // its last word; a worker that goes is not held up by it
    await recordHeartbeats(engine, namespace, [request.workerHeartbeat]).catch((err) => {
      engine.log.warn({ err, workerInstanceKey: request.workerInstanceKey }, 'the last heartbeat of a worker was not recorded');
    });
  }
  return {};
}
