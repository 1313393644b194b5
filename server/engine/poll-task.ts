/** PollWorkflowTaskQueue and PollActivityTaskQueue: a long poll that waits for a task of its queue. */
import { api, enums, type temporal } from '../core/api.js';
import { validatePoll } from '../core/validate/poll.js';
import type { QueueName } from '../storage/tasks.js';
import { type Call, EncodedResponse } from './call.js';
import type { Engine } from './engine.js';
import { pollMs } from './long-poll.js';
import type { PollerInfo } from './matching/poller.js';

type PollWorkflowRequest = temporal.api.workflowservice.v1.IPollWorkflowTaskQueueRequest;
type PollActivityRequest = temporal.api.workflowservice.v1.IPollActivityTaskQueueRequest;

type PollRequest = PollWorkflowRequest | PollActivityRequest;

export const pollWorkflowTask = (engine: Engine, request: PollWorkflowRequest, call: Call): Promise<object | EncodedResponse> =>
  poll(engine, 1, request, call);

export const pollActivityTask = (engine: Engine, request: PollActivityRequest, call: Call): Promise<object | EncodedResponse> =>
  poll(engine, 2, request, call);

async function poll(engine: Engine, kind: 1 | 2, request: PollRequest, call: Call): Promise<object | EncodedResponse> {
  const namespace = await engine.registry.require(request.namespace);
  const waitMs = pollMs(engine, call);
  validatePoll(request, engine.limits);
  const queue = request.taskQueue!.name!;
  if (call.cancelled) return {};
  const name: QueueName = { namespaceId: namespace.id, kind, queue };
  const sinceMs = engine.wall.now();
  const poller = engine.queues.wait(name, pollerInfo(request));
  const timer = setTimeout(() => engine.queues.leave(name, poller), waitMs);
  call.onCancelled(() => engine.queues.leave(name, poller));
  const answer = await poller.answer;
  clearTimeout(timer);
  if (!answer) return {};
  const delta = engine.queues.find(name)?.scalingHint(poller, engine.wall.now() - sinceMs) ?? 0;
  return delta === 0 ? answer : new EncodedResponse(...answer.parts, hintBytes(kind, delta));
}

const RESPONSES = { 1: api.workflowservice.v1.PollWorkflowTaskQueueResponse, 2: api.workflowservice.v1.PollActivityTaskQueueResponse };
const hints = new Map<string, Uint8Array>();

/** The encoded field that is added to an answer: in this encoding messages are joined by joining their bytes. */
function hintBytes(kind: 1 | 2, pollRequestDeltaSuggestion: number): Uint8Array {
  const key = `${kind}/${pollRequestDeltaSuggestion}`;
  const known = hints.get(key) ?? RESPONSES[kind].encode({ pollerScalingDecision: { pollRequestDeltaSuggestion } }).finish();
  hints.set(key, known);
  return known;
}

function pollerInfo(request: PollRequest): PollerInfo {
  const { identity, workerInstanceKey, workerVersionCapabilities: version, deploymentOptions } = request;
  const versioned = deploymentOptions?.workerVersioningMode === enums.WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED;
  const inDeployment = versioned || (version?.useVersioning && version.deploymentSeriesName);
  const workerVersion = version?.buildId && !inDeployment ? { buildId: version.buildId, useVersioning: version.useVersioning } : undefined;
  const queuePerSecond = ('taskQueueMetadata' in request ? request.taskQueueMetadata?.maxTasksPerSecond?.value : undefined) ?? undefined;
  return {
    identity: identity ?? '',
    workerInstanceKey: workerInstanceKey ?? '',
    workerVersion,
    queuePerSecond: queuePerSecond === undefined || Number.isNaN(queuePerSecond) ? undefined : Math.max(0, queuePerSecond),
    workerVersionCapabilities: version ?? undefined,
    deploymentOptions: deploymentOptions ?? undefined,
  };
}
