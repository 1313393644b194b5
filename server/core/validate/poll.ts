/** Polls of task queues: time to wait, a queue, and who asks. */
import type { temporal } from '../api.js';
import { failedPrecondition, invalidArgument, permissionDenied } from '../errors.js';
import { requireIdentity } from './identity.js';
import { BUILD_ID_LENGTH_MAX, LONG_POLL_MIN_MS, type ValidationLimits } from './limits.js';
import { type Problem, refuse } from './problem.js';
import { taskQueueProblem } from './task-queue.js';
import { exceeds } from './text-length.js';

export interface PollRequest {
  readonly taskQueue?: temporal.api.taskqueue.v1.ITaskQueue | null;
  readonly identity?: string | null;
  readonly workerVersionCapabilities?: temporal.api.common.v1.IWorkerVersionCapabilities | null;
  readonly deploymentOptions?: temporal.api.deployment.v1.IWorkerDeploymentOptions | null;
}

/** A long poll needs a deadline that is not about to pass. */
export function requireLongPollTime(deadlineMs: number, nowMs: number): void {
  if (deadlineMs === Number.POSITIVE_INFINITY) throw invalidArgument('Context timeout is not set.');
  if (deadlineMs - nowMs < LONG_POLL_MIN_MS) throw failedPrecondition('Context timeout is too short.');
}

type Version = { readonly useVersioning?: boolean | null; readonly buildId?: string | null } | null | undefined;

function versioningProblem(version: Version, options: PollRequest['deploymentOptions']): Problem {
  if (version?.buildId && exceeds(version.buildId, BUILD_ID_LENGTH_MAX)) return `Build ID is longer than ${BUILD_ID_LENGTH_MAX} bytes.`;
  if (options && !options.deploymentName !== !options.buildId) return 'Deployment name and build id must be set together.';
  return undefined;
}

/** What a worker says about its build when it polls and when it answers. The old ways of choosing workers by it are not served. */
export function requireWorkerVersion(version: Version, options: PollRequest['deploymentOptions']): void {
  if (version?.useVersioning) throw permissionDenied('Worker versioning in workflow progress APIs is disabled on this namespace.');
  refuse(versioningProblem(version, options));
}

/** Throws INVALID_ARGUMENT with the first thing that is wrong. The deadline has been checked before. */
export function validatePoll(request: PollRequest, limits: ValidationLimits): void {
  const lengthMax = limits.idLengthMax;
  refuse(taskQueueProblem(request.taskQueue, { lengthMax }));
  requireIdentity(request.identity, lengthMax);
  requireWorkerVersion(request.workerVersionCapabilities, request.deploymentOptions);
}
