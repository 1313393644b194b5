/** What a worker measures of itself, under the field's names, so that its dashboards work. Durations in milliseconds. */
import { status } from '@grpc/grpc-js';
import type { temporal } from '../definitions/api.js';
import { tsToMs } from '../definitions/duration.js';
import type { MetricCounter, MetricGauge, MetricHistogram, MetricMeter, MetricTags } from '../definitions/metrics.js';
import { noopMetricMeter } from '../definitions/metrics.js';
import type { LocalActivityTask, WorkflowTask, WorkflowTaskOutcome } from '../replay/workflow-host.js';
import { isGrpcServiceError } from '../transport/grpc-error.js';
import { DESCRIPTIONS } from './metric-descriptions.js';

type ActivityTask = temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse;
type Command = temporal.api.command.v1.ICommand;
export type PollerType = 'workflow_task' | 'sticky_workflow_task' | 'activity_task';
export type SlotType = 'WorkflowWorker' | 'ActivityWorker' | 'LocalActivityWorker';

const LONG_REQUESTS = new Set(['PollWorkflowTaskQueue', 'PollActivityTaskQueue', 'GetWorkflowExecutionHistory']);

/** By cause of the failed task: WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR. */
const FAILURE_REASONS: Readonly<Record<number, string>> = { 24: 'NonDeterminismError' };

/** What is there at a moment. */
export interface WorkerGauges {
  pollers: Record<PollerType, number>;
  slots: Record<SlotType, { used: number; available?: number }>;
  cachedRuns: number;
}

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
  private readonly gaugesByName = new Map<string, MetricGauge>();

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
    const { replayMs, runStartMs } = (outcome.kind === 'completed' && outcome.figures) || {};
    if (replayMs !== undefined) this.time('workflow_task_replay_latency', replayMs, tags);
    this.time('workflow_task_execution_latency', durationMs - (replayMs ?? 0), tags);
    if (outcome.kind === 'failed') this.workflowTaskFailed(task, FAILURE_REASONS[outcome.failure.cause ?? 0] ?? 'WorkflowError');
    for (const command of (outcome.kind === 'completed' && outcome.completion.commands) || []) this.closed(command, runStartMs, tags);
  }

  private workflowTaskFailed(task: WorkflowTask, reason: string): void {
    this.count('workflow_task_execution_failed', { ...workflowTags(task), failure_reason: reason });
  }

  /** The answer of a workflow task was too large to be sent. */
  workflowTaskTooLarge(task: WorkflowTask): void {
    this.workflowTaskFailed(task, 'GrpcMessageTooLarge');
  }

  /** A task went on where an earlier one ended, and its run was there, or was not. */
  cacheLookup(hit: boolean): void {
    this.count(hit ? 'sticky_cache_hit' : 'sticky_cache_miss');
  }

  /** A run left the cache by pressure or failure. */
  evicted(): void {
    this.count('sticky_cache_total_forced_eviction');
  }

  /** An activity task came. */
  activityReceived(task: ActivityTask, isEager: boolean): void {
    this.count('activity_task_received', { ...activityTags(task), eager: isEager });
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
    if (kind === 'failed') this.count('activity_execution_failed', { ...tags, failure_reason: 'ActivityError' });
    else if (kind === 'cancelled') this.count('activity_execution_cancelled', tags);
    else if (kind === 'completed') this.time('activity_succeed_endtoend_latency', Date.now() - tsToMs(task.scheduledTime), tags);
  }

  /** A local activity ended an attempt. */
  localActivityExecuted(task: LocalActivityTask, kind: 'completed' | 'failed' | 'cancelled', durationMs: number): void {
    const tags = { activity_type: task.activityType, workflow_type: task.workflowType };
    this.count('local_activity_total', tags);
    this.time('local_activity_execution_latency', durationMs, tags);
    if (kind === 'failed') this.count('local_activity_execution_failed', tags);
    else if (kind === 'cancelled') this.count('local_activity_execution_cancelled', tags);
    else this.time('local_activity_succeed_endtoend_latency', Date.now() - task.scheduledTimeMs, tags);
  }

  /** Values at present, read from time to time. */
  gauges({ pollers, slots, cachedRuns }: WorkerGauges): void {
    for (const [type, count] of Object.entries(pollers)) this.gauge('num_pollers', count, { poller_type: type });
    for (const [type, { used, available }] of Object.entries(slots)) {
      this.gauge('worker_task_slots_used', used, { worker_type: type });
      if (available !== undefined) this.gauge('worker_task_slots_available', available, { worker_type: type });
    }
    this.gauge('sticky_cache_size', cachedRuns);
  }

  private closed(command: Command, runStartMs: number | undefined, tags: MetricTags): void {
    const name = closeName(command);
    if (!name) return;
    this.count(name, tags);
    if (runStartMs !== undefined) this.time('workflow_endtoend_latency', Date.now() - runStartMs, tags);
  }

  private count(name: string, tags?: MetricTags): void {
    let counter = this.counters.get(name);
    if (!counter) {
      counter = this.meter.createCounter(`temporal_${name}`, undefined, DESCRIPTIONS[name]);
      this.counters.set(name, counter);
    }
    counter.add(1, tags);
  }

  private gauge(name: string, value: number, tags?: MetricTags): void {
    let gauge = this.gaugesByName.get(name);
    if (!gauge) {
      gauge = this.meter.createGauge(`temporal_${name}`, 'int', undefined, DESCRIPTIONS[name]);
      this.gaugesByName.set(name, gauge);
    }
    gauge.set(value, tags);
  }

  private time(name: string, ms: number, tags?: MetricTags): void {
    let histogram = this.histograms.get(name);
    if (!histogram) {
      histogram = this.meter.createHistogram(`temporal_${name}`, 'int', 'ms', DESCRIPTIONS[name]);
      this.histograms.set(name, histogram);
    }
    histogram.record(Math.max(0, Math.round(ms)), tags);
  }
}

/** The metric that counts a run which ends by this command. */
function closeName(command: Command): string | undefined {
  if (command.completeWorkflowExecutionCommandAttributes) return 'workflow_completed';
  if (command.failWorkflowExecutionCommandAttributes) return 'workflow_failed';
  if (command.cancelWorkflowExecutionCommandAttributes) return 'workflow_canceled';
  if (command.continueAsNewWorkflowExecutionCommandAttributes) return 'workflow_continue_as_new';
  return undefined;
}

function workflowTags(task: WorkflowTask): MetricTags {
  return { workflow_type: task.workflowType?.name ?? '' };
}

function activityTags(task: ActivityTask): MetricTags {
  return { activity_type: task.activityType?.name ?? '', workflow_type: task.workflowType?.name ?? '' };
}
