/** What the clock of test mode knows of runs: which have something under way, and when something of each is due. Learnt from what is committed. */
import { nextDeadline } from '../core/deadline.js';
import { isRunning } from '../core/kinds/run.js';
import type { RunState } from '../core/run-state.js';

interface KnownRun {
  readonly namespaceId: string;
  /** Workflow tasks and activities under way. */
  readonly holds: number;
  /** Activities among them. */
  readonly activities: number;
  /** Infinity: nothing is ever due. */
  readonly dueMs: number;
  /** Somebody is on what is due. */
  asked: boolean;
}

export class RunsInTime {
  private readonly runs = new Map<string, KnownRun>();
  /** Workflow tasks and activities under way, of all runs. */
  holds = 0;
  /** Activities among them. */
  activities = 0;

  /** Takes note of a run as it stands now. */
  saw(state: RunState): void {
    const { runId, namespaceId } = state.info;
    const before = this.runs.get(runId);
    this.drop(runId);
    const dueMs = dueOf(state);
    const activities = isRunning(state) ? activitiesUnderWay(state) : 0;
    const holds = activities + (isRunning(state) && state.workflowTask ? 1 : 0);
    if (holds === 0 && dueMs === Number.POSITIVE_INFINITY) return;
    this.runs.set(runId, { namespaceId, holds, activities, dueMs, asked: before?.asked === true && before.dueMs === dueMs });
    this.holds += holds;
    this.activities += activities;
  }

  /** A namespace is gone, with whatever was open in it. */
  forget(namespaceId: string): void {
    for (const [runId, run] of this.runs) if (run.namespaceId === namespaceId) this.drop(runId);
  }

  private drop(runId: string): void {
    const run = this.runs.get(runId);
    if (!run) return;
    this.holds -= run.holds;
    this.activities -= run.activities;
    this.runs.delete(runId);
  }

  /** The earliest moment at which something of a run is due; Infinity = never. */
  firstDueMs(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.runs.values()) first = Math.min(first, dueMs);
    return first;
  }

  /** The same without what is due and asked for; and whether there is such. */
  ahead(): { firstMs: number; asked: boolean } {
    let firstMs = Number.POSITIVE_INFINITY;
    let asked = false;
    for (const run of this.runs.values()) {
      if (run.asked) asked = true;
      else firstMs = Math.min(firstMs, run.dueMs);
    }
    return { firstMs, asked };
  }

  /** The runs that have become due, each once. */
  askFor(nowMs: number): string[] {
    const fresh: string[] = [];
    for (const [runId, run] of this.runs) {
      if (run.dueMs > nowMs || run.asked) continue;
      run.asked = true;
      fresh.push(runId);
    }
    return fresh;
  }
}

/** When something of a run is due next, its completion callbacks included; Infinity = never. */
function dueOf(state: RunState): number {
  const waiting = state.callbacks.flatMap(({ calls }) => (calls?.state === 'backing-off' ? [calls.nextMs] : []));
  return Math.min(...[nextDeadline(state), ...waiting].filter((ms) => ms > 0), Number.POSITIVE_INFINITY);
}

/** Activities with an attempt that waits for a worker or runs; not those in their backoff, and not those that are paused before they start. */
function activitiesUnderWay(state: RunState): number {
  return Object.values(state.activities).filter(({ startedMs, queued, paused }) => startedMs > 0 || (queued && !paused)).length;
}
