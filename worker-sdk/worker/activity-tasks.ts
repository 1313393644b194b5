/** The activities that a worker executes for the server: from a task to its confirmed answer. */
import type { Info } from '../activity/info.js';
import type { ActivityFunction } from '../definitions/activity.js';
import { isActivityFunctionWithOptions } from '../definitions/activity.js';
import type { temporal } from '../definitions/api.js';
import { optionalTsToMs, tsToMs } from '../definitions/duration.js';
import type { Logger } from '../definitions/logger.js';
import { decodePriority } from '../definitions/priority.js';
import { decompileRetryPolicy } from '../definitions/retry-policy.js';
import { decodeArrayFromPayloads, decodeFirstPayload, encodeErrorToFailure, encodeToPayloads } from '../payload/conversion.js';
import { decodeMessage } from '../payload/codec.js';
import { ApplicationFailure } from '../payload/failure.js';
import type { ActivityEnvironment, ActivityOutcome, CancelReason } from './activity-execution.js';
import { activityContext, ActivityExecution } from './activity-execution.js';
import type { WorkerRpcs } from './delivery.js';
import { isTaskGone, isTooLarge } from './delivery.js';
import type { DeliveryLimit } from './delivery-limit.js';
import { Heartbeats, throttleInterval } from './heartbeats.js';
import type { ActivitySlotInfo, Slot } from './slots.js';
import { countTask, type TaskCounts } from './task-counts.js';
import type { WorkerMetrics } from './worker-metrics.js';

export type ActivityTask = temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse;

export interface ActivityTasksOptions {
  env: ActivityEnvironment;
  rpcs: WorkerRpcs;
  activities: ReadonlyMap<string, ActivityFunction>;
  namespace: string;
  taskQueue: string;
  identity: string;
  defaultHeartbeatThrottleMs: number;
  maxHeartbeatThrottleMs: number;
  delivery: DeliveryLimit;
  metrics?: WorkerMetrics;
  counts: TaskCounts;
  logger: Logger;
}

/** The server notices its own timeouts; after this much more the worker stops an activity whose server did not say so. */
const LOCAL_TIMEOUT_BUFFER_MS = 5_000;

/** One activity under way. */
interface Running {
  execution: ActivityExecution;
  heartbeats: Heartbeats;
}

/** Executes activity tasks. */
export class ActivityTasks {
  private readonly running = new Set<Running>();
  private readonly tasks = new Set<Promise<void>>();

  constructor(private readonly options: ActivityTasksOptions) {}

  /** Activities under way. */
  get size(): number {
    return this.tasks.size;
  }

  /** Activities under way that have sent a heartbeat. */
  get heartbeating(): number {
    return [...this.running].filter(({ heartbeats }) => heartbeats.started).length;
  }

  /** Executes a task and delivers its answer; releases the slot at the end. */
  take(task: ActivityTask, slot: Slot<ActivitySlotInfo>, isEager = false): void {
    slot.use({ type: 'activity', activityType: task.activityType?.name ?? '' });
    this.options.metrics?.activityReceived(task, isEager);
    const done = this.execute(task)
      .catch((err) => {
        this.options.logger.error('Activity task was dropped by an unexpected error', { error: err });
      })
      .finally(() => {
        slot.release();
        this.tasks.delete(done);
      });
    this.tasks.add(done);
  }

  /** Tells all activities to stop. */
  cancelAll(reason: CancelReason): void {
    for (const { execution } of this.running) execution.cancel(reason);
  }

  /** Waits until all activities under way are executed and answered. */
  async drain(): Promise<void> {
    while (this.tasks.size > 0) await Promise.all(this.tasks);
  }

  private async execute(task: ActivityTask): Promise<void> {
    const { metrics } = this.options;
    const begin = performance.now();
    let outcome: ActivityOutcome;
    let cancelReason: CancelReason | undefined;
    try {
      const { fn, info, args } = await this.prepare(task);
      const execution = this.start(task, fn, info, args, (reason) => {
        cancelReason ??= reason;
      });
      outcome = await execution;
    } catch (err) {
      outcome = { kind: 'failed', failure: await encodeErrorToFailure(this.options.env.converter, err) };
    }
    countTask(this.options.counts.activity, outcome.kind === 'failed');
    metrics?.activityExecuted(task, outcome.kind, performance.now() - begin);
    // The server said that it does not know this attempt any more: nobody waits for the answer.
    if (cancelReason !== 'NOT_FOUND') await this.deliver(task, outcome);
  }

  private async start(
    task: ActivityTask,
    fn: ActivityFunction,
    info: Info,
    args: unknown[],
    onCancel: (reason: CancelReason) => void,
  ): Promise<ActivityOutcome> {
    const heartbeats = this.heartbeatsOf(task, info, (reason, error) => {
      onCancel(reason);
      execution.cancel(reason, error);
    });
    const execution = new ActivityExecution(this.options.env, {
      info,
      fn,
      args,
      headers: task.header?.fields ?? {},
      outputType: isActivityFunctionWithOptions(fn) ? fn.activityDefinitionOptions.typeInfo?.outputType : undefined,
      heartbeat: (details) => heartbeats.record(details),
    });
    const entry = { execution, heartbeats };
    this.running.add(entry);
    const timeoutMs = shortestTimeout(info);
    const timer = timeoutMs > 0 ? setTimeout(() => execution.cancel('TIMED_OUT'), timeoutMs + LOCAL_TIMEOUT_BUFFER_MS) : undefined;
    try {
      const outcome = await execution.run();
      await heartbeats.end(outcome.kind === 'failed');
      return outcome;
    } finally {
      clearTimeout(timer);
      this.running.delete(entry);
    }
  }

  /** The function and its arguments. What fails here fails the activity. */
  private async prepare(task: ActivityTask): Promise<{ fn: ActivityFunction; info: Info; args: unknown[] }> {
    const { activities, env } = this.options;
    const activityType = task.activityType?.name ?? '';
    const fn = activities.get(activityType) ?? activities.get('default');
    if (!fn) {
      const known = [...activities.keys()].sort().join(', ') || 'none';
      throw ApplicationFailure.create({
        type: 'NotFoundError',
        message: `Activity function ${activityType} is not registered on this worker: expected one of ${known}`,
      });
    }
    try {
      const info = await this.infoOf(task);
      const inputTypes = isActivityFunctionWithOptions(fn) ? fn.activityDefinitionOptions.typeInfo?.inputTypes : undefined;
      const args = await decodeArrayFromPayloads(env.converter, task.input?.payloads, activityContext(info), inputTypes);
      const header = task.header?.fields && (await decodeMessage(env.converter.payloadCodecs, task.header, activityContext(info)));
      if (header) task.header = header;
      return { fn, info, args };
    } catch (err) {
      throw ApplicationFailure.fromError(err, { message: `Failed to parse activity args: ${(err as Error).message}`, nonRetryable: false });
    }
  }

  private async infoOf(task: ActivityTask): Promise<Info> {
    const { taskQueue, namespace, env } = this.options;
    const taskToken = task.taskToken ?? new Uint8Array();
    const { workflowId = '', runId = '' } = task.workflowExecution ?? {};
    const inWorkflow = Boolean(workflowId);
    const activityId = task.activityId ?? '';
    const activityNamespace = task.workflowNamespace || namespace;
    const workflowExecution = inWorkflow ? { workflowId: workflowId ?? '', runId: runId ?? '' } : undefined;
    const context = activityContext({ namespace: activityNamespace, activityId, workflowExecution, isLocal: false });
    return {
      taskToken,
      base64TaskToken: Buffer.from(taskToken.buffer, taskToken.byteOffset, taskToken.byteLength).toString('base64'),
      activityId,
      activityType: task.activityType?.name ?? '',
      activityNamespace,
      activityRunId: task.activityRunId || undefined,
      namespace,
      attempt: task.attempt ?? 1,
      isLocal: false,
      inWorkflow,
      workflowExecution,
      workflowNamespace: inWorkflow ? activityNamespace : undefined,
      workflowType: task.workflowType?.name || undefined,
      taskQueue,
      scheduledTimestampMs: tsToMs(task.scheduledTime),
      currentAttemptScheduledTimestampMs: tsToMs(task.currentAttemptScheduledTime),
      scheduleToCloseTimeoutMs: tsToMs(task.scheduleToCloseTimeout),
      startToCloseTimeoutMs: tsToMs(task.startToCloseTimeout),
      heartbeatTimeoutMs: optionalTsToMs(task.heartbeatTimeout) || undefined,
      heartbeatDetails: await decodeFirstPayload(env.converter, task.heartbeatDetails?.payloads, context),
      priority: decodePriority(task.priority),
      retryPolicy: decompileRetryPolicy(task.retryPolicy),
    };
  }

  private heartbeatsOf(task: ActivityTask, info: Info, cancel: (reason: CancelReason, error?: unknown) => void): Heartbeats {
    const { env, rpcs, namespace, identity, logger } = this.options;
    const { defaultHeartbeatThrottleMs, maxHeartbeatThrottleMs } = this.options;
    const throttleMs = throttleInterval(info.heartbeatTimeoutMs, defaultHeartbeatThrottleMs, maxHeartbeatThrottleMs);
    return new Heartbeats({
      throttleMs,
      encode: async (details) => ({ payloads: (await encodeToPayloads(env.converter, [details], activityContext(info))) ?? [] }),
      // Within the interval another one follows, so there is no use in trying for longer.
      send: (details, abortSignal) =>
        rpcs.heartbeat({ namespace, identity, taskToken: task.taskToken!, details }, { abortSignal, deadline: Date.now() + throttleMs }),
      cancel,
      conversionFailed: (err) => cancel('HEARTBEAT_DETAILS_CONVERSION_FAILED', err),
      sendFailed: (err) => logger.warn('Activity heartbeat could not be sent', { activityId: info.activityId, error: err }),
    });
  }

  private async deliver(task: ActivityTask, outcome: ActivityOutcome): Promise<void> {
    try {
      await this.respond(task, outcome);
    } catch (err) {
      const attributes = { activityType: task.activityType?.name, activityId: task.activityId, error: err };
      if (isTaskGone(err)) this.options.logger.debug('Activity is not known to the server any more, its answer was dropped', attributes);
      else if (isTooLarge(err) && outcome.kind !== 'async') await this.respondTooLarge(task, err as Error);
      else this.options.logger.warn('Answer of an activity was refused by the server', attributes);
    }
  }

  private async respond(task: ActivityTask, outcome: ActivityOutcome): Promise<void> {
    const { rpcs, namespace, identity, delivery } = this.options;
    const base = { namespace, identity, taskToken: task.taskToken! };
    const context = { abortSignal: delivery.signal() };
    if (outcome.kind === 'completed') await rpcs.activityCompleted({ ...base, result: { payloads: [outcome.result] } }, context);
    else if (outcome.kind === 'failed') await rpcs.activityFailed({ ...base, failure: outcome.failure }, context);
    else if (outcome.kind === 'cancelled') {
      await rpcs.activityCanceled({ ...base, details: outcome.failure.canceledFailureInfo?.details ?? undefined }, context);
    }
  }

  /** The same answer would be refused again and again until the activity times out: say what is wrong instead. */
  private async respondTooLarge(task: ActivityTask, err: Error): Promise<void> {
    const failure = ApplicationFailure.nonRetryable(`The activity's answer is too large for the server: ${err.message}`, 'MessageTooLarge');
    await this.deliver(task, { kind: 'failed', failure: await encodeErrorToFailure(this.options.env.converter, failure) });
  }
}

/** The first timeout that would end this attempt, from its start; 0 for none. */
function shortestTimeout(info: Info): number {
  const timeouts = [info.startToCloseTimeoutMs, info.scheduleToCloseTimeoutMs].filter((ms) => ms > 0);
  return timeouts.length > 0 ? Math.min(...timeouts) : 0;
}
