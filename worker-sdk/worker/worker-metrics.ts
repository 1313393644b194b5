/** What a worker measures of itself, under the field's names, so that its dashboards work. Durations in milliseconds. */
import { status } from '@grpc/grpc-js';
import type { temporal } from '../definitions/api.js';
import { tsToMs } from '../definitions/duration.js';
import type { MetricCounter, MetricHistogram, MetricMeter, MetricTags } from '../definitions/metrics.js';
import { noopMetricMeter } from '../definitions/metrics.js';
import type { WorkflowTask, WorkflowTaskOutcome } from '../replay/workflow-host.js';
import { isGrpcServiceError } from '../transport/grpc-error.js';

type ActivityTask = temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse;
type Command = temporal.api.command.v1.ICommand;
export type PollerType = 'workflow_task' | 'sticky_workflow_task' | 'activity_task';
export type SlotType = 'WorkflowWorker' | 'ActivityWorker' | 'LocalActivityWorker';

const LONG_REQUESTS = new Set(['PollWorkflowTaskQueue', 'PollActivityTaskQueue', 'GetWorkflowExecutionHistory']);

/** What workers add to the meter's own tags. */
interface WorkerTags extends MetricTags {
  namespace: string;
  task_queue: string;
}

/** Records the metrics of one worker. Made only where there is a meter: nothing is computed for nobody. */
export class WorkerMetrics {
  private readonly meter: MetricMeter;
  private readonly counters = new Map<string, MetricCounter>();
  private readonly histograms = new Map<string, MetricHistogram>();

  /** The metrics for a meter; undefined for the one that records nothing. */
  static for(meter: MetricMeter, tags: WorkerTags): WorkerMetrics | undefined {
    return meter === noopMetricMeter ? undefined : new WorkerMetrics(meter, tags);
  }

  private constructor(meter: MetricMeter, tags: WorkerTags) {
    this.meter = meter.withTags(tags);
  }

  /** The worker runs. */
  started(): void {
    this.count('worker_start');
  }

  /** A call ended, with an error if it failed. */
  request(operation: string, durationMs: number, error?: unknown): void {
    const prefix = LONG_REQUESTS.has(operation) ? 'long_request' : 'request';
    const tags = { operation };
    this.count(prefix, tags);
    this.time(`${prefix}_latency`, durationMs, tags);
    if (error === undefined) return;
    const code = isGrpcServiceError(error) ? (status[error.code] ?? 'UNKNOWN') : 'UNKNOWN';
    this.count(`${prefix}_failure`, { operation, status_code: code });
  }

  /** A poll came back, with a task or without. */
  polled(type: PollerType, task: object | undefined): void {
    if (type === 'activity_task') {
      if (!task) this.count('activity_poll_no_task');
    } else this.count(task ? 'workflow_task_queue_poll_succeed' : 'workflow_task_queue_poll_empty');
  }

  /** A workflow task came. */
  workflowTaskReceived(task: WorkflowTask): void {
    if (!task.query)
      this.time('workflow_task_schedule_to_start_latency', tsToMs(task.startedTime) - tsToMs(task.scheduledTime), workflowTags(task));
  }

  /** A workflow task was executed. */
  workflowTaskExecuted(task: WorkflowTask, outcome: WorkflowTaskOutcome, durationMs: number): void {
    const tags = workflowTags(task);
    this.time('workflow_task_execution_latency', durationMs, tags);
    if (outcome.kind === 'failed') {
      // WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
      const reason = outcome.failure.cause === 24 ? 'NonDeterminismError' : 'WorkflowError';
      this.count('workflow_task_execution_failed', { ...tags, failure_reason: reason });
    }
    for (const command of (outcome.kind === 'completed' && outcome.completion.commands) || []) this.closed(command, tags);
  }

  /** A run left the cache by pressure or failure. */
  evicted(): void {
    this.count('sticky_cache_total_forced_eviction');
  }

  /** An activity task came. */
  activityReceived(task: ActivityTask): void {
    this.time(
      'activity_schedule_to_start_latency',
      tsToMs(task.startedTime) - tsToMs(task.currentAttemptScheduledTime),
      activityTags(task),
    );
  }

  /** An activity ended. */
  activityExecuted(task: ActivityTask, kind: 'completed' | 'failed' | 'cancelled' | 'async', durationMs: number): void {
    const tags = activityTags(task);
    this.time('activity_execution_latency', durationMs, tags);
    if (kind === 'failed') this.count('activity_execution_failed', tags);
    else if (kind === 'cancelled') this.count('activity_execution_cancelled', tags);
    else if (kind === 'completed') this.time('activity_succeed_endtoend_latency', Date.now() - tsToMs(task.scheduledTime), tags);
  }

  /** A local activity ended an attempt. */
  localActivityExecuted(activityType: string, workflowType: string, kind: 'completed' | 'failed' | 'cancelled', durationMs: number): void {
    const tags = { activity_type: activityType, workflow_type: workflowType };
    this.count('local_activity_total', tags);
    this.time('local_activity_execution_latency', durationMs, tags);
    if (kind === 'failed') this.count('local_activity_execution_failed', tags);
    else if (kind === 'cancelled') this.count('local_activity_execution_cancelled', tags);
  }

  /** Values at present, read from time to time. */
  gauges(values: { pollers: Record<PollerType, number>; slotsUsed: Record<SlotType, number>; cachedRuns: number }): void {
    for (const [type, count] of Object.entries(values.pollers))
      this.meter.createGauge('temporal_num_pollers').set(count, { poller_type: type });
    for (const [type, used] of Object.entries(values.slotsUsed))
      this.meter.createGauge('temporal_worker_task_slots_used').set(used, { worker_type: type });
    this.meter.createGauge('temporal_sticky_cache_size').set(values.cachedRuns);
  }

  private closed(command: Command, tags: MetricTags): void {
    if (command.completeWorkflowExecutionCommandAttributes) this.count('workflow_completed', tags);
    else if (command.failWorkflowExecutionCommandAttributes) this.count('workflow_failed', tags);
    else if (command.cancelWorkflowExecutionCommandAttributes) this.count('workflow_canceled', tags);
    else if (command.continueAsNewWorkflowExecutionCommandAttributes) this.count('workflow_continue_as_new', tags);
  }

  private count(name: string, tags?: MetricTags): void {
    let counter = this.counters.get(name);
    if (!counter) {
      counter = this.meter.createCounter(`temporal_${name}`);
      this.counters.set(name, counter);
    }
    counter.add(1, tags);
  }

  private time(name: string, ms: number, tags?: MetricTags): void {
    let histogram = this.histograms.get(name);
    if (!histogram) {
      histogram = this.meter.createHistogram(`temporal_${name}`, 'int', 'ms');
      this.histograms.set(name, histogram);
    }
    histogram.record(Math.max(0, Math.round(ms)), tags);
  }
}

function workflowTags(task: WorkflowTask): MetricTags {
  return { workflow_type: task.workflowType?.name ?? '' };
}

function activityTags(task: ActivityTask): MetricTags {
  return { activity_type: task.activityType?.name ?? '', workflow_type: task.workflowType?.name ?? '' };
}
