/** PollWorkflowTaskQueue and PollActivityTaskQueue: a long poll that waits for a task of its queue. */
import type { temporal } from '../core/api.js';
import { validatePoll } from '../core/validate/poll.js';
import type { QueueName } from '../storage/tasks.js';
import type { Call, EncodedResponse } from './call.js';
import type { Engine } from './engine.js';
import { pollMs } from './long-poll.js';
import type { PollerInfo } from './matching/poller.js';

type PollWorkflowRequest = temporal.api.workflowservice.v1.IPollWorkflowTaskQueueRequest;
type PollActivityRequest = temporal.api.workflowservice.v1.IPollActivityTaskQueueRequest;

export async function pollWorkflowTask(engine: Engine, request: PollWorkflowRequest, call: Call): Promise<object | EncodedResponse> {
  return poll(engine, 1, request, call, {
    identity: request.identity ?? '',
    workerInstanceKey: request.workerInstanceKey ?? '',
    buildId: request.workerVersionCapabilities?.buildId ?? '',
  });
}

export async function pollActivityTask(engine: Engine, request: PollActivityRequest, call: Call): Promise<object | EncodedResponse> {
  return poll(engine, 2, request, call, {
    identity: request.identity ?? '',
    workerInstanceKey: request.workerInstanceKey ?? '',
    buildId: request.workerVersionCapabilities?.buildId ?? '',
  });
}

async function poll(engine: Engine, kind: 1 | 2, request: PollWorkflowRequest | PollActivityRequest, call: Call, info: PollerInfo): Promise<object | EncodedResponse> {
  const namespace = await engine.registry.require(request.namespace);
  validatePoll(request, engine.limits);
  const queue = request.taskQueue!.name!;
  const waitMs = pollMs(engine, call);
  if (call.cancelled) return {};
  const name: QueueName = { namespaceId: namespace.id, kind, queue };
  const poller = engine.queues.wait(name, info);
  const timer = setTimeout(() => engine.queues.leave(name, poller), waitMs);
  call.onCancelled(() => engine.queues.leave(name, poller));
  const answer = await poller.answer;
  clearTimeout(timer);
  return answer ?? {};
}

