/** What is going on at a task queue: who polls it and how fast tasks come and go, at this node and, as far as they have told, at the others. */
import type { temporal } from '../core/api.js';
import { METER_WINDOW_MS } from '../core/rate-meter.js';
import { type QueueName, queueKey } from '../storage/tasks.js';
import type { Engine } from './engine.js';
import type { LevelRates, Queue } from './matching/queue.js';
import { POLLER_REMEMBERED_MS } from './matching/task-queues.js';

export interface ReportedPoller {
  readonly identity: string;
  readonly lastAccessMs: number;
  readonly queuePerSecond?: number | undefined;
  readonly workerVersionCapabilities?: temporal.api.common.v1.IWorkerVersionCapabilities | undefined;
  readonly deploymentOptions?: temporal.api.deployment.v1.IWorkerDeploymentOptions | undefined;
}

export interface QueueReport {
  readonly pollers: readonly ReportedPoller[];
  readonly rates: readonly LevelRates[];
  /** A rate limit held tasks back lately. */
  readonly held: boolean;
}

/** A node that was not seen for so long is gone. */
const NODE_GONE_MS = 10_000;
/** Queues that are told of at once; the others follow. */
const TOLD_AT_ONCE_MAX = 2_000;
const NOTHING: QueueReport = { pollers: [], rates: [], held: false };

const rounded = (rate: number): number => Math.round(rate * 100) / 100;

function reportOf(queue: Queue, sinceMs: number): QueueReport {
  const pollers = [...queue.pollers.values()]
    .filter((p) => p.lastAccessMs >= sinceMs)
    .map(({ lastAccessMs, info: { identity, queuePerSecond, workerVersionCapabilities, deploymentOptions } }) => ({
      identity,
      lastAccessMs,
      queuePerSecond,
      workerVersionCapabilities,
      deploymentOptions,
    }));
  return { pollers, rates: queue.rates, held: queue.limiter?.heldLately ?? false };
}

/** Tells other nodes what is new at the queues of this one. */
export class QueueReporter {
  private readonly told = new Map<string, { name: QueueName; text: string }>();

  constructor(private readonly engine: Engine) {}

  async tell(): Promise<void> {
    const { wall, nodeId, queues, queueReports } = this.engine;
    const nowMs = wall.now();
    const now = new Map<string, { name: QueueName; report: QueueReport; text: string }>();
    for (const queue of queues.known) {
      const { rates, ...report } = reportOf(queue, nowMs - POLLER_REMEMBERED_MS);
      const busy = rates
        .map((r) => ({ ...r, added: rounded(r.added), dispatched: rounded(r.dispatched) }))
        .filter((r) => r.added > 0 || r.dispatched > 0);
      if (report.pollers.length === 0 && busy.length === 0) continue;
      const rounds = { ...report, rates: busy };
      now.set(queueKey(queue.name), { name: queue.name, report: rounds, text: JSON.stringify(rounds) });
    }
    const changed = [...now].filter(([key, { text }]) => this.told.get(key)?.text !== text).slice(0, TOLD_AT_ONCE_MAX);
    const forgotten = [...this.told].filter(([key]) => !now.has(key)).map(([, { name }]) => name);
    if (changed.length === 0 && forgotten.length === 0) return;
    const rows = changed.map(([, { name, report }]) => ({ queue: name, report }));
    await queueReports.tell(nodeId, rows, forgotten, nowMs);
    for (const name of forgotten) this.told.delete(queueKey(name));
    for (const [key, { name, text }] of changed) this.told.set(key, { name, text });
  }
}

/** A queue as all nodes together see it. */
export async function reportOfAllNodes(engine: Engine, name: QueueName): Promise<QueueReport> {
  const nowMs = engine.wall.now();
  const queue = engine.queues.find(name);
  const here = queue ? reportOf(queue, nowMs - POLLER_REMEMBERED_MS) : NOTHING;
  if (!engine.otherNodes()) return here;
  const rows = await engine.queueReports.ofOthers(engine.nodeId, name, nowMs - NODE_GONE_MS);
  // rates that were told long ago are of a queue that has been quiet since
  const others = rows.map(({ report, toldMs }) =>
    toldMs < nowMs - METER_WINDOW_MS ? { ...(report as QueueReport), rates: [], held: false } : (report as QueueReport),
  );
  return [here, ...others].reduce(joined);
}

function joined(a: QueueReport, b: QueueReport): QueueReport {
  const pollers = new Map(a.pollers.map((p) => [p.identity, p]));
  for (const p of b.pollers) if ((pollers.get(p.identity)?.lastAccessMs ?? 0) < p.lastAccessMs) pollers.set(p.identity, p);
  const rates = new Map(a.rates.map((r) => [r.priority, r]));
  for (const r of b.rates) {
    const sum = rates.get(r.priority);
    rates.set(r.priority, sum ? { priority: r.priority, added: sum.added + r.added, dispatched: sum.dispatched + r.dispatched } : r);
  }
  return { pollers: [...pollers.values()], rates: [...rates.values()], held: a.held || b.held };
}
