/** Queries that wait for an answer on this node, and those that ride on a run's next workflow task. Nothing of them is stored. */
import type { Failure, Payloads, temporal } from '../core/api.js';

export type QueryAnswer = { answer: Payloads | null | undefined } | { error: string; failure?: Failure | null };

export interface PendingQuery {
  readonly id: string;
  readonly namespaceId: string;
  readonly runId: string;
  readonly query: temporal.api.query.v1.IWorkflowQuery;
  /** Ends the wait; later calls do nothing. */
  readonly settle: (answer: QueryAnswer) => void;
  readonly settled: () => boolean;
}

export class PendingQueries {
  private readonly byId = new Map<string, PendingQuery>();
  /** Queries that the next workflow task of a run takes along. */
  private readonly riding = new Map<string, Set<PendingQuery>>();

  add(query: PendingQuery): void {
    this.byId.set(query.id, query);
  }

  find(id: string): PendingQuery | undefined {
    return this.byId.get(id);
  }

  remove(query: PendingQuery): void {
    this.byId.delete(query.id);
    this.unride(query);
  }

  ride(query: PendingQuery): void {
    const set = this.riding.get(query.runId) ?? new Set();
    set.add(query);
    this.riding.set(query.runId, set);
  }

  unride(query: PendingQuery): void {
    const set = this.riding.get(query.runId);
    if (!set) return;
    set.delete(query);
    if (set.size === 0) this.riding.delete(query.runId);
  }

  ridingOn(runId: string): PendingQuery[] {
    return [...(this.riding.get(runId) ?? [])];
  }
}
