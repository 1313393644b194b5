/** What the engine counts, as Prometheus text. Read from the parts themselves at the moment of asking; nothing is counted twice. */
import type { Engine } from './engine.js';

interface Metric {
  name: string;
  type: 'counter' | 'gauge';
  help: string;
  value: number;
}

export function metricsText(engine: Engine, startedMs: number): string {
  const { committer, cache, serial, queues, watchers } = engine;
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
    { name: 'perdure_uptime_seconds', type: 'gauge', help: 'Since the engine was built.', value: (engine.clock.now() - startedMs) / 1000 },
    { name: 'process_resident_memory_bytes', type: 'gauge', help: 'Resident memory of the process.', value: memory.rss },
    { name: 'process_heap_used_bytes', type: 'gauge', help: 'Heap in use.', value: memory.heapUsed },
    { name: 'process_cpu_seconds_total', type: 'counter', help: 'CPU time of the process.', value: (cpu.user + cpu.system) / 1e6 },
  ];
  return metrics.map((m) => `# HELP ${m.name} ${m.help}\n# TYPE ${m.name} ${m.type}\n${m.name} ${m.value}\n`).join('');
}
