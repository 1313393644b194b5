/** Local activities: executed by the worker on behalf of a workflow task, without a task of their own at the server. */
import type { Info } from '../activity/info.js';
import type { ActivityFunction } from '../definitions/activity.js';
import { isActivityFunctionWithOptions } from '../definitions/activity.js';
import { decompileRetryPolicy } from '../definitions/retry-policy.js';
import { decodeArrayFromPayloads, encodeErrorToFailure } from '../payload/conversion.js';
import { ApplicationFailure, TimeoutFailure } from '../payload/failure.js';
import type { LocalActivityResult, LocalActivityTask, RunLocalActivity } from '../replay/workflow-host.js';
import type { ActivityEnvironment } from './activity-execution.js';
import { activityContext, ActivityExecution } from './activity-execution.js';
import type { LocalActivitySlotInfo, Slots } from './slots.js';
import { countTask, type TaskCount } from './task-counts.js';
import type { WorkerMetrics } from './worker-metrics.js';

export interface LocalActivitiesOptions {
  env: ActivityEnvironment;
  activities: ReadonlyMap<string, ActivityFunction>;
  slots: Slots<LocalActivitySlotInfo>;
  taskQueue: string;
  metrics?: WorkerMetrics;
  count: TaskCount;
}

const NO_TOKEN = new Uint8Array();

/** Executes local activities, as many at once as there are slots. */
export class LocalActivities {
  private readonly running = new Set<ActivityExecution>();

  constructor(private readonly options: LocalActivitiesOptions) {}

  get size(): number {
    return this.running.size;
  }

  /** Tells all local activities to stop: their workflow tasks are not waited for any longer. */
  cancelAll(): void {
    for (const execution of this.running) execution.cancel('WORKER_SHUTDOWN');
  }

  /** See {@link RunLocalActivity}. */
  readonly run: RunLocalActivity = async (task, signal, started) => {
    const slot = await this.options.slots.reserve(false, signal);
    if (!slot) return this.ended(signal.reason, task);
    slot.use({ type: 'local-activity', activityType: task.activityType });
    started();
    const begin = performance.now();
    try {
      const result = await this.attempt(task, signal).catch((err) => this.ended(err, task));
      countTask(this.options.count, result.kind === 'failed');
      this.options.metrics?.localActivityExecuted(task, result.kind, performance.now() - begin);
      return result;
    } finally {
      slot.release();
    }
  };

  private async attempt(task: LocalActivityTask, signal: AbortSignal): Promise<LocalActivityResult> {
    const { env, activities, taskQueue } = this.options;
    const fn = activities.get(task.activityType) ?? activities.get('default');
    if (!fn)
      throw ApplicationFailure.nonRetryable(`Activity function ${task.activityType} is not registered on this worker`, 'NotFoundError');
    const info = localInfo(task, taskQueue);
    const typeInfo = isActivityFunctionWithOptions(fn) ? fn.activityDefinitionOptions.typeInfo : undefined;
    const args = await decodeArrayFromPayloads(env.converter, task.input, activityContext(info), typeInfo?.inputTypes);
    const execution = new ActivityExecution(env, {
      info,
      fn,
      args,
      headers: task.header,
      outputType: typeInfo?.outputType,
      heartbeat: () => undefined,
    });
    this.running.add(execution);
    const onAbort = () => execution.cancel(signal.reason instanceof TimeoutFailure ? 'TIMED_OUT' : 'CANCELLED');
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      const outcome = await execution.run();
      if (outcome.kind === 'completed') return { kind: 'completed', result: outcome.result };
      if (outcome.kind === 'cancelled') return { kind: 'cancelled', failure: outcome.failure };
      if (outcome.kind === 'failed') return { kind: 'failed', failure: outcome.failure };
      throw ApplicationFailure.nonRetryable('A local activity cannot be completed asynchronously', 'CompleteAsyncError');
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.running.delete(execution);
    }
  }

  private async ended(err: unknown, task: LocalActivityTask): Promise<LocalActivityResult> {
    const context = activityContext(localInfo(task, this.options.taskQueue));
    return { kind: 'failed', failure: await encodeErrorToFailure(this.options.env.converter, err, context) };
  }
}

function localInfo(task: LocalActivityTask, taskQueue: string): Info {
  const { workflowId, runId, workflowNamespace } = task;
  return {
    taskToken: NO_TOKEN,
    base64TaskToken: '',
    activityId: task.activityId,
    activityType: task.activityType,
    activityNamespace: workflowNamespace,
    namespace: workflowNamespace,
    attempt: task.attempt,
    isLocal: true,
    inWorkflow: true,
    workflowExecution: { workflowId, runId },
    workflowNamespace,
    workflowType: task.workflowType,
    taskQueue,
    scheduledTimestampMs: task.scheduledTimeMs,
    currentAttemptScheduledTimestampMs: task.currentAttemptScheduledTimeMs,
    scheduleToCloseTimeoutMs: task.scheduleToCloseTimeoutMs ?? 0,
    startToCloseTimeoutMs: task.startToCloseTimeoutMs ?? 0,
    heartbeatDetails: undefined,
    retryPolicy: decompileRetryPolicy(task.retryPolicy),
  };
}
