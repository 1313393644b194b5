/** UpdateTaskQueueConfig: rates and weights that make sense, each with a reason that fits. */
import { enums, type temporal } from '../api.js';
import { FAIRNESS_KEY_LENGTH_MAX } from './limits.js';
import { type Problem, refuse } from './problem.js';
import { taskQueueProblem } from './task-queue.js';
import { exceeds, nulProblem } from './text-length.js';

type Request = temporal.api.workflowservice.v1.IUpdateTaskQueueConfigRequest;
type RateLimitUpdate = NonNullable<Request['updateQueueRateLimit']>;

const REASON_LENGTH_MAX = 1_000;
/** Weights that a queue may override. */
export const WEIGHT_OVERRIDES_MAX = 1_000;

const tooLong = (field: string, text: string | null | undefined, max: number): Problem =>
  exceeds(text ?? '', max) ? `${field} field too long (max ${max} characters).` : nulProblem(field, text ?? '');

function rateProblem(
  update: RateLimitUpdate | null | undefined,
  { label, what, workflow }: { label: string; what: string; workflow: boolean },
): Problem {
  const perSecond = update?.rateLimit?.requestsPerSecond;
  if (update?.rateLimit && workflow) return `Setting ${what} on workflow task queues is not allowed.`;
  if (update?.rateLimit && !((perSecond ?? 0) >= 0)) return `RequestsPerSecond for ${label} rate limit must be non-negative.`;
  if (perSecond === Number.POSITIVE_INFINITY)
    return `RequestsPerSecond for ${label} rate limit must be finite; leave out the rate limit to remove it.`;
  return tooLong(`${label}.Reason`, update?.reason, REASON_LENGTH_MAX);
}

function keyProblem(key: string): Problem {
  if (!key) return 'fairness weight override key must not be empty';
  if (exceeds(key, FAIRNESS_KEY_LENGTH_MAX)) return 'fairness key length exceeds limit';
  return nulProblem('fairness key', key);
}

function weightsProblem({ setFairnessWeightOverrides, unsetFairnessWeightOverrides }: Request): Problem {
  const set = Object.entries(setFairnessWeightOverrides ?? {});
  const unset = unsetFairnessWeightOverrides ?? [];
  const total = set.length + unset.length;
  if (total > WEIGHT_OVERRIDES_MAX) return `too many fairness weight overrides in request: got ${total}, maximum ${WEIGHT_OVERRIDES_MAX}`;
  for (const [key, weight] of set) {
    const problem = keyProblem(key);
    if (problem) return problem;
    if (!(weight > 0) || weight === Number.POSITIVE_INFINITY) return `invalid fairness weight for key "${key}": must be greater than zero`;
  }
  for (const key of unset) {
    const problem = keyProblem(key);
    if (problem) return problem;
    if (setFairnessWeightOverrides && Object.hasOwn(setFairnessWeightOverrides, key))
      return `fairness weight override key "${key}" present in both set and unset lists`;
  }
  return undefined;
}

/** Whether there is nothing to change. */
export const changesNothing = (request: Request): boolean =>
  !request.updateQueueRateLimit &&
  !request.updateFairnessKeyRateLimitDefault &&
  Object.keys(request.setFairnessWeightOverrides ?? {}).length === 0 &&
  (request.unsetFairnessWeightOverrides ?? []).length === 0;

/** Throws INVALID_ARGUMENT with the first thing that is wrong. */
export function validateTaskQueueConfig(request: Request, idLengthMax: number): void {
  const workflow = request.taskQueueType === enums.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW;
  refuse(
    rateProblem(request.updateQueueRateLimit, { label: 'UpdateQueueRateLimit', what: 'rate limit', workflow }) ??
      rateProblem(request.updateFairnessKeyRateLimitDefault, {
        label: 'UpdateFairnessKeyRateLimitDefault',
        what: 'fairness key rate limit',
        workflow,
      }) ??
      tooLong('Identity', request.identity, idLengthMax) ??
      weightsProblem(request) ??
      (changesNothing(request) ? undefined : taskQueueProblem({ name: request.taskQueue }, { lengthMax: idLengthMax })),
  );
}
