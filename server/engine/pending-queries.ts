/**
 * Queries that wait for an answer on this node, and those that ride on a run's next workflow task. They live in memory; where other nodes
 * share the database they are shared with them as rows, of which these only hear hints.
 */
import type { Failure, Payloads, temporal } from '../core/api.js';

export type QueryAnswer = { answer: Payloads | null | undefined } | { error: string; failure?: Failure | null };

export interface PendingQuery {
  readonly id: string;
  readonly namespaceId: string;
  readonly runId: string;
  readonly query: temporal.api.query.v1.IWorkflowQuery;
  /** When its caller stops waiting, in milliseconds since the epoch. */
  readonly untilMs: number;
  /** Ends the wait; later calls do nothing. */
  readonly settle: (answer: QueryAnswer | Error) => void;
  readonly settled: () => boolean;
  /** Resolves when it is settled. */
  readonly over: Promise<unknown>;
}

export class PendingQueries {
  private readonly byId = new Map<string, PendingQuery>();
  /** Queries that the next workflow task of a run takes along. */
  private readonly riding = new Map<string, Set<PendingQuery>>();
  /** Runs on whose next workflow task queries of other nodes ride, and until when. */
  private readonly ridingElsewhere = new Map<string, number>();
  /** Queries of other nodes that wait for a worker here, and until when. */
  private readonly offered = new Map<string, number>();

  get size(): number {
    return this.byId.size;
  }

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
    return [...(this.riding.get(runId) ?? [])].filter((query) => !query.settled());
  }

  /** Another node says that queries ride on a run. */
  heardRiding(runId: string, untilMs: number): void {
    this.ridingElsewhere.set(runId, Math.max(untilMs, this.ridingElsewhere.get(runId) ?? 0));
  }

  ridesElsewhere(runId: string, nowMs: number): boolean {
    return (this.ridingElsewhere.get(runId) ?? 0) > nowMs;
  }

  /** Another node says that a query waits for a worker. False when that was heard before. */
  heardOffer(queryId: string, untilMs: number): boolean {
    if (this.offered.has(queryId)) return false;
    this.offered.set(queryId, untilMs);
    return true;
  }

  /** Forgets hints whose callers have stopped waiting. */
  sweep(nowMs: number): void {
    for (const hints of [this.ridingElsewhere, this.offered]) for (const [key, untilMs] of hints) if (untilMs <= nowMs) hints.delete(key);
  }
}
