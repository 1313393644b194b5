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
import type { FetchHistory, WorkflowHost, WorkflowTask, WorkflowTaskCompletion, WorkflowTaskOutcome } from '../replay/workflow-host.js';
import { isGrpcServiceError } from '../transport/grpc-error.js';
import { completeInPages, pagesOf } from './completion-pages.js';
import type { WorkerRpcs } from './delivery.js';
import { isTaskGone, isTooLarge } from './delivery.js';
import type { DeliveryLimit } from './delivery-limit.js';
import type { EagerActivities, EagerReservation } from './eager-activities.js';
import type { Slot, WorkflowSlotInfo } from './slots.js';
import { decodeTask, encodeCompletion } from './task-codec.js';
import { countTask, type TaskCounts } from './task-counts.js';
import { UnderWay } from './under-way.js';
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
  /** Whether the server takes an answer in several calls. */
  takesPages(): boolean;
  delivery: DeliveryLimit;
  metrics?: WorkerMetrics;
  counts: TaskCounts;
  logger: Logger;
}

/** Executes workflow tasks. */
export class WorkflowTasks {
  private readonly tasks = new UnderWay();

  /** What all completions of tasks say. */
  private readonly fixed: object;

  constructor(private readonly options: WorkflowTasksOptions) {
    const { namespace, identity, sticky, version, taskQueue } = options;
    this.fixed = {
      ...version.completion,
      namespace,
      identity,
      stickyAttributes: sticky && {
        workerTaskQueue: { name: sticky.queue, kind: 2, normalName: taskQueue },
        scheduleToStartTimeout: sticky.scheduleToStartTimeout,
      },
      capabilities: { discardSpeculativeWorkflowTaskWithEvents: true },
    };
  }

  /** Tasks under way. */
  get size(): number {
    return this.tasks.size;
  }

  /** Executes a task, and those that come with its answers; releases the slot at the end. */
  take(task: WorkflowTask, slot: Slot<WorkflowSlotInfo>, isSticky: boolean): void {
    slot.use({ type: 'workflow', workflowType: task.workflowType?.name ?? '', isSticky });
    void this.executeChain(task, slot);
  }

  /** Waits until all tasks under way are executed and answered. */
  drain(): Promise<void> {
    return this.tasks.drained();
  }

  private async executeChain(first: WorkflowTask, slot: Slot<WorkflowSlotInfo>): Promise<void> {
    this.tasks.begin();
    try {
      for (let task: WorkflowTask | undefined = first; task; ) {
        const context = this.contextOf(task);
        const outcome = await this.outcomeOf(task, context);
        task = await this.deliver(task, outcome, context);
      }
    } catch (err) {
      this.options.logger.error('Workflow task was dropped by an unexpected error', { ...attributesOf(first), error: err });
    } finally {
      slot.release();
      this.tasks.end();
    }
  }

  /** Executes one task. Undefined when it is to have no answer. */
  private async outcomeOf(encoded: WorkflowTask, context: SerializationContext): Promise<WorkflowTaskOutcome | undefined> {
    const { host, codecs, metrics } = this.options;
    metrics?.workflowTaskReceived(encoded);
    const begin = performance.now();
    let outcome: WorkflowTaskOutcome | undefined;
    try {
      const task = codecs.length === 0 ? encoded : await decodeTask(codecs, encoded, context);
      outcome = await host.handleTask(task, this.historyFetcher(encoded, context));
    } catch (err) {
      outcome = this.unreadable(encoded, err);
    }
    if (!outcome) return undefined;
    countTask(this.options.counts.workflow, outcome.kind === 'failed');
    metrics?.workflowTaskExecuted(encoded, outcome, performance.now() - begin);
    return outcome;
  }

  /** The history could not be read: the run is gone, or the server is. Either way this task has no answer of its own. */
  private unreadable(task: WorkflowTask, err: unknown): WorkflowTaskOutcome | undefined {
    const { host, logger } = this.options;
    host.evict(task.workflowExecution?.runId ?? '', 'task failed before workflow code ran');
    if (isTaskGone(err)) return undefined;
    logger.warn('Workflow task failed before workflow code ran', { ...attributesOf(task), error: err });
    const failure = defaultFailureConverter.errorToFailure(err, defaultPayloadConverter);
    return task.query
      ? { kind: 'query', answer: { completedType: QUERY_FAILED, errorMessage: failure.message, failure } }
      : { kind: 'failed', failure: { cause: UNHANDLED_FAILURE, failure } };
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

  /** Tells the server what became of a task. Answers with the task that came back, if one did. */
  private async deliver(
    task: WorkflowTask,
    outcome: WorkflowTaskOutcome | undefined,
    context: SerializationContext,
  ): Promise<WorkflowTask | undefined> {
    if (!outcome) return undefined;
    const { codecs, eager } = this.options;
    let reserved: EagerReservation | undefined;
    try {
      if (outcome.kind === 'completed') {
        const { completion } = outcome;
        const encoded = codecs.length === 0 ? completion : await encodeCompletion(codecs, completion, context);
        reserved = eager?.reserve(encoded.commands ?? []);
        const response = await this.complete(this.completedRequest(task, encoded));
        return this.takeAnswer(task, response, reserved);
      }
      if (outcome.kind === 'query') await this.answerQuery(task, outcome.answer, context);
      else await this.fail(task, outcome.failure, context);
    } catch (err) {
      return this.notTaken(task, outcome, context, err);
    } finally {
      reserved?.release();
    }
    return undefined;
  }

  /** What one message cannot carry goes in pages, where the server takes them. */
  private async complete(request: ReturnType<WorkflowTasks['completedRequest']>): Promise<CompletedResponse> {
    const { rpcs, delivery, takesPages } = this.options;
    const context = { abortSignal: delivery.signal };
    try {
      return await rpcs.workflowTaskCompleted(request, context);
    } catch (err) {
      const pages = isTooLarge(err) && takesPages() ? pagesOf(request.commands ?? []) : undefined;
      if (!pages) throw err;
      return completeInPages(rpcs, request, pages, context);
    }
  }

  private completedRequest(task: WorkflowTask, completion: WorkflowTaskCompletion) {
    return {
      ...this.fixed,
      ...completion,
      taskToken: task.taskToken!,
      returnNewWorkflowTask: this.options.takesMore() || Boolean(completion.forceCreateNewWorkflowTask),
    };
  }

  private takeAnswer(task: WorkflowTask, response: CompletedResponse, reserved: EagerReservation | undefined): WorkflowTask | undefined {
    const resetTo = toNumber(response.resetHistoryEventId);
    if (resetTo > 0) this.options.host.speculativeTaskDropped(task.workflowExecution?.runId ?? '', resetTo);
    reserved?.run(response.activityTasks ?? []);
    return response.workflowTask?.taskToken?.length ? response.workflowTask : undefined;
  }

  private notTaken(task: WorkflowTask, outcome: WorkflowTaskOutcome, context: SerializationContext, err: unknown): Promise<undefined> | undefined {
    const { host, logger } = this.options;
    // What the run believes about its last task is not what the server keeps: begin again from history.
    host.evict(task.workflowExecution?.runId ?? '', 'answer was not taken by the server');
    if (outcome.kind === 'completed' && isTooLarge(err)) return this.failTooLarge(task, err as Error, context);
    const attributes = { ...attributesOf(task), error: err };
    if (isTaskGone(err)) logger.debug('Workflow task is not known to the server any more, its answer was dropped', attributes);
    else if (isGrpcServiceError(err) && err.code === status.CANCELLED)
      logger.warn('Worker stopped before the server took an answer', attributes);
    else logger.warn('Answer of a workflow task was refused by the server', attributes);
    return undefined;
  }

  private async answerQuery(
    task: WorkflowTask,
    answer: Extract<WorkflowTaskOutcome, { kind: 'query' }>['answer'],
    context: SerializationContext,
  ): Promise<void> {
    const { rpcs, namespace, codecs, delivery } = this.options;
    const encoded = await encodeMessage(codecs, answer, context);
    await rpcs.queryTaskCompleted({ ...encoded, namespace, taskToken: task.taskToken! }, { abortSignal: delivery.signal });
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
      { abortSignal: delivery.signal },
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
