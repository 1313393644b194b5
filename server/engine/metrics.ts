/** What the engine counts, as Prometheus text. Read from the parts themselves at the moment of asking; nothing is counted twice. */
import type { Load } from './load/load.js';
import type { CallbackCalls } from './callback-calls.js';
import type { Engine } from './engine.js';

interface Metric {
  name: string;
  type: 'counter' | 'gauge';
  help: string;
  value: number;
}

const total = (name: string, help: string, value: number): Metric => ({ name, type: 'counter', help, value });
const gauge = (name: string, help: string, value: number): Metric => ({ name, type: 'gauge', help, value });

/** What came, what was turned away, and why. */
const loadMetrics = ({ admission, waiting, meter: { state } }: Load): Metric[] => [
  gauge('perdure_requests_in_work', 'Requests in work.', admission.working),
  gauge('perdure_requests_queued', 'Requests that wait for their turn.', admission.queued),
  gauge('perdure_start_rate_limit', 'Starts a second that are let in at present.', admission.rateOfStarts),
  gauge('perdure_waiting_calls', 'Long polls and callers that wait for a worker.', waiting.size),
  total('perdure_refused_starts_total', 'Starts answered RESOURCE_EXHAUSTED.', admission.refused.start),
  total('perdure_refused_requests_total', 'Signals, reads and the like answered RESOURCE_EXHAUSTED.', admission.refused.change),
  total('perdure_refused_answers_total', 'Answers of workers answered RESOURCE_EXHAUSTED.', admission.refused.finish),
  total('perdure_refused_polls_total', 'Waiting calls answered RESOURCE_EXHAUSTED.', waiting.refused),
  total('perdure_shed_polls_total', 'Long polls answered early to make room.', waiting.shed),
  gauge('perdure_event_loop_delay_seconds', 'How late the event loop is.', state.lateMs / 1000),
  gauge('perdure_event_loop_utilization', 'Share of time in which the event loop works.', state.utilization),
  gauge('perdure_machine_utilization', "Share of its processors' time in which the machine works.", state.machine),
  gauge('perdure_commit_wait_seconds', 'How long the transition that has waited longest waits for its commit.', state.commitWaitMs / 1000),
  gauge('perdure_task_wait_seconds', 'How long stored tasks wait for a worker that polls.', state.taskWaitMs / 1000),
];

const callbackMetrics = ({ count, made, failed }: CallbackCalls): Metric[] => [
  gauge('perdure_callbacks_under_way', 'Calls of completion callbacks under way.', count),
  total('perdure_callback_calls_total', 'Calls of completion callbacks.', made),
  total('perdure_callback_failures_total', 'Calls of completion callbacks that did not get through.', failed),
];

export function metricsText(engine: Engine, startedMs: number): string {
  const { committer, cache, serial, queues, watchers, load } = engine;
  const memory = process.memoryUsage();
  const cpu = process.cpuUsage();
  const metrics: Metric[] = [
    { name: 'perdure_commits_total', type: 'counter', help: 'Group commits written.', value: committer.groups },
    { name: 'perdure_transitions_total', type: 'counter', help: 'Transitions of runs written by them.', value: committer.items },
    {
      name: 'perdure_commit_conflicts_total',
      type: 'counter',
      help: 'Transitions that lost a race and were decided again.',
      value: committer.conflicts,
    },
    { name: 'perdure_commit_queue', type: 'gauge', help: 'Transitions waiting for a group commit.', value: committer.queued },
    { name: 'perdure_cached_runs', type: 'gauge', help: 'Runs whose state is kept in memory.', value: cache.size },
    { name: 'perdure_busy_runs', type: 'gauge', help: 'Runs (and workflow ids) with an operation under way.', value: serial.size },
    { name: 'perdure_waiting_polls', type: 'gauge', help: 'Polls of workers that wait for a task.', value: queues.waitingPolls },
    { name: 'perdure_kept_tasks', type: 'gauge', help: 'Stored tasks that this node keeps for its own pollers.', value: queues.keptTasks },
    { name: 'perdure_watched_runs', type: 'gauge', help: 'Runs that callers wait on.', value: watchers.size },
    ...loadMetrics(load),
    ...callbackMetrics(engine.callbacks),
    { name: 'perdure_uptime_seconds', type: 'gauge', help: 'Since the engine was built.', value: (engine.wall.now() - startedMs) / 1000 },
    { name: 'process_resident_memory_bytes', type: 'gauge', help: 'Resident memory of the process.', value: memory.rss },
    { name: 'process_heap_used_bytes', type: 'gauge', help: 'Heap in use.', value: memory.heapUsed },
    { name: 'process_cpu_seconds_total', type: 'counter', help: 'CPU time of the process.', value: (cpu.user + cpu.system) / 1e6 },
  ];
  return metrics
    .map(
      (m) =>
        `# HELP ${m.name} ${m.help}\n# TYPE ${m.name} ${m.type}\n${m.name} ${m.value === Number.POSITIVE_INFINITY ? '+Inf' : m.value}\n`,
    )
    .join('');
}
