/** The activities that a worker executes for the server: from a task to its confirmed answer. */
import type { Info } from '../activity/info.js';
import type { ActivityFunction } from '../definitions/activity.js';
import { isActivityFunctionWithOptions } from '../definitions/activity.js';
import type { temporal } from '../definitions/api.js';
import { optionalTsToMs, tsToMs } from '../definitions/duration.js';
import type { Logger } from '../definitions/logger.js';
import { decodePriority } from '../definitions/priority.js';
import { decompileRetryPolicy } from '../definitions/retry-policy.js';
import { encodeErrorToFailure, encodeToPayloads } from '../payload/conversion.js';
import { decodeMessage } from '../payload/codec.js';
import { ApplicationFailure } from '../payload/failure.js';
import { arrayFromPayloads, fromPayloadWithTypeInfo } from '../payload/payload-converter.js';
import type { ActivityEnvironment, ActivityOutcome, CancelReason } from './activity-execution.js';
import { activityContext, ActivityExecution } from './activity-execution.js';
import type { WorkerRpcs } from './delivery.js';
import { isTaskGone, isTooLarge } from './delivery.js';
import type { DeliveryLimit } from './delivery-limit.js';
import { Heartbeats, throttleInterval } from './heartbeats.js';
import type { ActivitySlotInfo, Slot } from './slots.js';
import { countTask, type TaskCounts } from './task-counts.js';
import { UnderWay } from './under-way.js';
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

/** What is to be called, and with what. */
interface Prepared {
  fn: ActivityFunction;
  info: Info;
  args: unknown[];
}

/** One activity under way. */
interface Running {
  execution: ActivityExecution;
  heartbeats: Heartbeats;
}

/** Executes activity tasks. */
export class ActivityTasks {
  private readonly running = new Set<Running>();
  private readonly tasks = new UnderWay();

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
    void this.execute(task, slot);
  }

  /** Tells all activities to stop. */
  cancelAll(reason: CancelReason): void {
    for (const { execution } of this.running) execution.cancel(reason);
  }

  /** Waits until all activities under way are executed and answered. */
  drain(): Promise<void> {
    return this.tasks.drained();
  }

  private async execute(task: ActivityTask, slot: Slot<ActivitySlotInfo>): Promise<void> {
    this.tasks.begin();
    try {
      const begin = performance.now();
      const cancelled: { reason?: CancelReason } = {};
      let outcome: ActivityOutcome;
      try {
        const prepared = this.prepare(task);
        outcome = await this.run(task, prepared instanceof Promise ? await prepared : prepared, cancelled);
      } catch (err) {
        outcome = { kind: 'failed', failure: await encodeErrorToFailure(this.options.env.converter, err) };
      }
      countTask(this.options.counts.activity, outcome.kind === 'failed');
      this.options.metrics?.activityExecuted(task, outcome.kind, performance.now() - begin);
      // The server said that it does not know this attempt any more: nobody waits for the answer.
      if (cancelled.reason !== 'NOT_FOUND') await this.deliver(task, outcome);
    } catch (err) {
      this.options.logger.error('Activity task was dropped by an unexpected error', { error: err });
    } finally {
      slot.release();
      this.tasks.end();
    }
  }

  private async run(task: ActivityTask, { fn, info, args }: Prepared, cancelled: { reason?: CancelReason }): Promise<ActivityOutcome> {
    const heartbeats = this.heartbeatsOf(task, info, (reason, error) => {
      cancelled.reason ??= reason;
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
      const flushed = heartbeats.end(outcome.kind === 'failed');
      if (flushed) await flushed;
      return outcome;
    } finally {
      clearTimeout(timer);
      this.running.delete(entry);
    }
  }

  /** The function and its arguments, at once where there are no codecs. What fails here fails the activity. */
  private prepare(task: ActivityTask): Prepared | Promise<Prepared> {
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
    if (env.converter.payloadCodecs.length > 0) return this.decodeAndPrepare(task, fn);
    return this.parsed(task, fn);
  }

  /** Payloads of the task through the codecs first. */
  private async decodeAndPrepare(task: ActivityTask, fn: ActivityFunction): Promise<Prepared> {
    const context = activityContext(this.identityOf(task));
    let decoded: Pick<ActivityTask, 'input' | 'header' | 'heartbeatDetails'>;
    try {
      const { input, header, heartbeatDetails } = task;
      decoded = await decodeMessage(this.options.env.converter.payloadCodecs, { input, header, heartbeatDetails }, context);
    } catch (err) {
      throw notParsed(err);
    }
    task.header = decoded.header;
    return this.parsed({ ...task, ...decoded }, fn);
  }

  private parsed(task: ActivityTask, fn: ActivityFunction): Prepared {
    const { payloadConverter } = this.options.env.converter;
    try {
      const info = this.infoOf(task);
      const inputTypes = isActivityFunctionWithOptions(fn) ? fn.activityDefinitionOptions.typeInfo?.inputTypes : undefined;
      const args = arrayFromPayloads(payloadConverter, task.input?.payloads ?? [], activityContext(info), inputTypes);
      return { fn, info, args };
    } catch (err) {
      throw notParsed(err);
    }
  }

  private identityOf(task: ActivityTask) {
    const { workflowId, runId } = task.workflowExecution ?? {};
    return {
      namespace: task.workflowNamespace || this.options.namespace,
      activityId: task.activityId ?? '',
      workflowExecution: workflowId ? { workflowId, runId: runId ?? '' } : undefined,
      isLocal: false,
    };
  }

  private infoOf(task: ActivityTask): Info {
    const { taskQueue, namespace } = this.options;
    const taskToken = task.taskToken ?? new Uint8Array();
    const identity = this.identityOf(task);
    const { activityId, workflowExecution, namespace: activityNamespace } = identity;
    const inWorkflow = workflowExecution !== undefined;
    return {
      taskToken,
      // Hardly anybody asks for it.
      get base64TaskToken() {
        return Buffer.from(taskToken.buffer, taskToken.byteOffset, taskToken.byteLength).toString('base64');
      },
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
      heartbeatDetails: this.heartbeatDetailsOf(task, identity),
      priority: decodePriority(task.priority),
      retryPolicy: decompileRetryPolicy(task.retryPolicy),
    };
  }

  private heartbeatDetailsOf(task: ActivityTask, identity: ReturnType<ActivityTasks['identityOf']>): unknown {
    const payload = task.heartbeatDetails?.payloads?.[0];
    return payload && fromPayloadWithTypeInfo(this.options.env.converter.payloadConverter, payload, activityContext(identity), undefined);
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
    const context = { abortSignal: delivery.signal };
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

function notParsed(err: unknown): ApplicationFailure {
  return ApplicationFailure.fromError(err, { message: `Failed to parse activity args: ${(err as Error).message}`, nonRetryable: false });
}
