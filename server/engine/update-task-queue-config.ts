/** UpdateTaskQueueConfig: an operator limits how fast a queue hands out its tasks, or weighs its tenants. */
import { enums, type temporal } from '../core/api.js';
import { invalidArgument } from '../core/errors.js';
import { NO_CONFIG, type StoredRateLimit, taskQueueConfigToApi } from '../core/task-queue-config.js';
import { changesNothing, validateTaskQueueConfig, WEIGHT_OVERRIDES_MAX } from '../core/validate/task-queue-config.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';

type Request = temporal.api.workflowservice.v1.IUpdateTaskQueueConfigRequest;
type Response = temporal.api.workflowservice.v1.IUpdateTaskQueueConfigResponse;

export async function updateTaskQueueConfig(engine: Engine, request: Request, _call: Call): Promise<Response> {
  const namespace = await engine.registry.require(request.namespace);
  validateTaskQueueConfig(request, engine.limits.idLengthMax);
  const kind = request.taskQueueType || enums.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW;
  const queue = { namespaceId: namespace.id, kind, queue: request.taskQueue ?? '' };
  if (changesNothing(request)) return { config: taskQueueConfigToApi((await engine.storedQueueConfigs.read(queue)) ?? NO_CONFIG) };
  const stored = (update: Request['updateQueueRateLimit']): StoredRateLimit | undefined =>
    update
      ? {
          perSecond: update.rateLimit ? (update.rateLimit.requestsPerSecond ?? 0) : null,
          reason: update.reason ?? '',
          identity: request.identity ?? '',
          updatedMs: engine.clock.now(),
        }
      : undefined;
  const change = {
    queue: stored(request.updateQueueRateLimit),
    fairnessKey: stored(request.updateFairnessKeyRateLimitDefault),
    setWeights: request.setFairnessWeightOverrides ?? {},
    unsetWeights: request.unsetFairnessWeightOverrides ?? [],
  };
  const config = await engine.storedQueueConfigs.change(queue, change, WEIGHT_OVERRIDES_MAX);
  if (!config) throw invalidArgument(`fairness weight overrides update rejected: a task queue has at most ${WEIGHT_OVERRIDES_MAX} of them`);
  await engine.queueConfigs.refresh();
  engine.notify({ kind: 'queue-configs' });
  return { config: taskQueueConfigToApi(config) };
}
