/** Workflow tasks between the server and the workflow host: hand one in, deliver the answer, take what comes back with it. */
import { status } from '@grpc/grpc-js';
import type { temporal } from '../definitions/api.js';
import type { ProtoDuration } from '../definitions/api.js';
import { toNumber } from '../definitions/api.js';
import type { Logger } from '../definitions/logger.js';
import type { PayloadCodec } from '../payload/codec.js';
import { decodeMessage, encodeMessage } from '../payload/codec.js';
import { defaultFailureConverter } from '../payload/failure-converter.js';
import { defaultPayloadConverter } from '../payload/payload-converter.js';
import type { SerializationContext } from '../payload/serialization-context.js';
import type { FetchHistory, WorkflowHost, WorkflowTask, WorkflowTaskOutcome } from '../replay/workflow-host.js';
import { isGrpcServiceError } from '../transport/grpc-error.js';
import type { WorkerRpcs } from './delivery.js';
import { isTaskGone, isTooLarge } from './delivery.js';
import type { DeliveryLimit } from './delivery-limit.js';
import type { EagerActivities } from './eager-activities.js';
import type { Slot, WorkflowSlotInfo } from './slots.js';
import { decodeTask, encodeCompletion } from './task-codec.js';
import { countTask, type TaskCounts } from './task-counts.js';
import type { WorkerMetrics } from './worker-metrics.js';
import type { WorkerVersion } from './worker-version.js';

type CompletedResponse = temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedResponse;

/** WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE */
const UNHANDLED_FAILURE = 14;
/** WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE */
const MESSAGE_TOO_LARGE = 36;
/** QUERY_RESULT_TYPE_FAILED */
const QUERY_FAILED = 2;

export interface WorkflowTasksOptions {
  host: WorkflowHost;
  rpcs: WorkerRpcs;
  codecs: readonly PayloadCodec[];
  namespace: string;
  taskQueue: string;
  identity: string;
  /** Undefined when no runs are cached. */
  sticky: { queue: string; scheduleToStartTimeout: ProtoDuration } | undefined;
  version: WorkerVersion;
  eager: EagerActivities | undefined;
  /** False once the worker stops: then the server is not asked to answer with another task. */
  takesMore(): boolean;
  delivery: DeliveryLimit;
  metrics?: WorkerMetrics;
  counts: TaskCounts;
  logger: Logger;
}

/** Executes workflow tasks. */
export class WorkflowTasks {
  private readonly tasks = new Set<Promise<void>>();

  constructor(private readonly options: WorkflowTasksOptions) {}

  /** Tasks under way. */
  get size(): number {
    return this.tasks.size;
  }

  /** Executes a task, and those that come with its answers; releases the slot at the end. */
  take(task: WorkflowTask, slot: Slot<WorkflowSlotInfo>, isSticky: boolean): void {
    slot.use({ type: 'workflow', workflowType: task.workflowType?.name ?? '', isSticky });
    const done = this.executeChain(task)
      .catch((err) => {
        this.options.logger.error('Workflow task was dropped by an unexpected error', { ...attributesOf(task), error: err });
      })
      .finally(() => {
        slot.release();
        this.tasks.delete(done);
      });
    this.tasks.add(done);
  }

  /** Waits until all tasks under way are executed and answered. */
  async drain(): Promise<void> {
    while (this.tasks.size > 0) await Promise.all(this.tasks);
  }

  private async executeChain(first: WorkflowTask): Promise<void> {
    let next: WorkflowTask | undefined = first;
    while (next) next = await this.execute(next);
  }

  /** Executes one task. Answers with the task that came back, if one did. */
  private async execute(encoded: WorkflowTask): Promise<WorkflowTask | undefined> {
    const { host, codecs, logger, metrics } = this.options;
    metrics?.workflowTaskReceived(encoded);
    const begin = performance.now();
    const context = this.contextOf(encoded);
    let outcome: WorkflowTaskOutcome;
    try {
      const task = await decodeTask(codecs, encoded, context);
      outcome = await host.handleTask(task, this.historyFetcher(encoded, context));
    } catch (err) {
      // The history could not be read: the run is gone, or the server is. Either way this task has no answer of its own.
      host.evict(encoded.workflowExecution?.runId ?? '', 'task failed before workflow code ran');
      if (isTaskGone(err)) return undefined;
      logger.warn('Workflow task failed before workflow code ran', { ...attributesOf(encoded), error: err });
      const failure = defaultFailureConverter.errorToFailure(err, defaultPayloadConverter);
      outcome = encoded.query
        ? { kind: 'query', answer: { completedType: QUERY_FAILED, errorMessage: failure.message, failure } }
        : { kind: 'failed', failure: { cause: UNHANDLED_FAILURE, failure } };
    }
    countTask(this.options.counts.workflow, outcome.kind === 'failed');
    metrics?.workflowTaskExecuted(encoded, outcome, performance.now() - begin);
    return this.deliver(encoded, outcome, context);
  }

  private contextOf(task: WorkflowTask): SerializationContext {
    return { type: 'workflow', namespace: this.options.namespace, workflowId: task.workflowExecution?.workflowId ?? '' };
  }

  private historyFetcher(task: WorkflowTask, context: SerializationContext): FetchHistory {
    const { rpcs, namespace, codecs } = this.options;
    return async (nextPageToken) => {
      const page = await rpcs.history({ namespace, execution: task.workflowExecution, nextPageToken });
      return { history: await decodeMessage(codecs, page.history ?? {}, context), nextPageToken: page.nextPageToken };
    };
  }

  private async deliver(
    task: WorkflowTask,
    outcome: WorkflowTaskOutcome,
    context: SerializationContext,
  ): Promise<WorkflowTask | undefined> {
    const { host, logger } = this.options;
    try {
      if (outcome.kind === 'completed') return await this.complete(task, outcome.completion, context);
      if (outcome.kind === 'query') await this.answerQuery(task, outcome.answer, context);
      else await this.fail(task, outcome.failure, context);
    } catch (err) {
      // What the run believes about its last task is not what the server keeps: begin again from history.
      host.evict(task.workflowExecution?.runId ?? '', 'answer was not taken by the server');
      if (outcome.kind === 'completed' && isTooLarge(err)) return this.failTooLarge(task, err as Error, context);
      const attributes = { ...attributesOf(task), error: err };
      if (isTaskGone(err)) logger.debug('Workflow task is not known to the server any more, its answer was dropped', attributes);
      else if (isGrpcServiceError(err) && err.code === status.CANCELLED)
        logger.warn('Worker stopped before the server took an answer', attributes);
      else logger.warn('Answer of a workflow task was refused by the server', attributes);
    }
    return undefined;
  }

  private async complete(
    task: WorkflowTask,
    completion: Extract<WorkflowTaskOutcome, { kind: 'completed' }>['completion'],
    context: SerializationContext,
  ): Promise<WorkflowTask | undefined> {
    const { host, rpcs, namespace, identity, sticky, version, codecs, eager, taskQueue, delivery } = this.options;
    const encoded = await encodeCompletion(codecs, completion, context);
    const reserved = eager?.reserve(encoded.commands ?? []);
    try {
      const response: CompletedResponse = await rpcs.workflowTaskCompleted(
        {
          ...encoded,
          ...version.completion,
          namespace,
          identity,
          taskToken: task.taskToken!,
          stickyAttributes: sticky && {
            workerTaskQueue: { name: sticky.queue, kind: 2, normalName: taskQueue },
            scheduleToStartTimeout: sticky.scheduleToStartTimeout,
          },
          returnNewWorkflowTask: this.options.takesMore() || Boolean(encoded.forceCreateNewWorkflowTask),
          capabilities: { discardSpeculativeWorkflowTaskWithEvents: true },
        },
        { abortSignal: delivery.signal() },
      );
      const resetTo = toNumber(response.resetHistoryEventId);
      if (resetTo > 0) host.speculativeTaskDropped(task.workflowExecution?.runId ?? '', resetTo);
      reserved?.run(response.activityTasks ?? []);
      return response.workflowTask?.taskToken?.length ? response.workflowTask : undefined;
    } finally {
      reserved?.release();
    }
  }

  private async answerQuery(
    task: WorkflowTask,
    answer: Extract<WorkflowTaskOutcome, { kind: 'query' }>['answer'],
    context: SerializationContext,
  ): Promise<void> {
    const { rpcs, namespace, codecs, delivery } = this.options;
    const encoded = await encodeMessage(codecs, answer, context);
    await rpcs.queryTaskCompleted({ ...encoded, namespace, taskToken: task.taskToken! }, { abortSignal: delivery.signal() });
  }

  private async fail(
    task: WorkflowTask,
    failed: Extract<WorkflowTaskOutcome, { kind: 'failed' }>['failure'],
    context: SerializationContext,
  ): Promise<void> {
    const { rpcs, namespace, identity, codecs, version, delivery } = this.options;
    // Only the first failure is told; later attempts wait for their timeout, so that a broken workflow does not spin.
    if ((task.attempt ?? 1) > 1) return;
    const encoded = await encodeMessage(codecs, failed, context);
    await rpcs.workflowTaskFailed(
      { ...encoded, ...version.failure, namespace, identity, taskToken: task.taskToken! },
      { abortSignal: delivery.signal() },
    );
  }

  private async failTooLarge(task: WorkflowTask, err: Error, context: SerializationContext): Promise<undefined> {
    const message = `The answer of the workflow task is too large for the server: ${err.message}`;
    this.options.logger.warn(message, attributesOf(task));
    this.options.metrics?.workflowTaskTooLarge(task);
    const failure = defaultFailureConverter.errorToFailure(new Error(message), defaultPayloadConverter);
    await this.deliver(task, { kind: 'failed', failure: { cause: MESSAGE_TOO_LARGE, failure } }, context);
    return undefined;
  }
}

function attributesOf(task: WorkflowTask): Record<string, unknown> {
  const { workflowId, runId } = task.workflowExecution ?? {};
  return { workflowId, runId, workflowType: task.workflowType?.name, attempt: task.attempt };
}
