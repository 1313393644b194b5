/** A query as other nodes see it: a row, made when it is first needed, and hints that it is there. */
import { api } from '../core/api.js';
import type { Change, Engine } from './engine.js';
import type { PendingQuery } from './pending-queries.js';

export class SharedQuery {
  /** The row as it is written, or is about to be. */
  private written: Promise<void> | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly pending: PendingQuery,
  ) {}

  /** Tells other nodes, if there are any. `anew`: whoever has taken the query has let it lie, and it may be taken again. */
  async tell(change: Change, anew = false): Promise<void> {
    const { engine, pending } = this;
    if (!engine.otherNodes() || pending.settled()) return;
    if (!this.written || anew) this.written = this.write();
    await this.written;
    engine.notify(change);
  }

  /** Whether this node may hand the query to a worker: nobody waits in vain, and no other node has done it. */
  async take(): Promise<boolean> {
    const { engine, pending } = this;
    if (!this.written) return !pending.settled();
    await this.written;
    return !pending.settled() && (await engine.sharedQueries.take(pending.id, engine.clock.now())) !== undefined;
  }

  async end(): Promise<void> {
    if (!this.written) return;
    await this.written.catch(() => undefined);
    await this.engine.sharedQueries.withdraw(this.pending.id);
  }

  private write(): Promise<void> {
    const { id: queryId, runId, untilMs } = this.pending;
    const query = api.query.v1.WorkflowQuery.encode(this.pending.query).finish();
    return this.engine.sharedQueries.share({ queryId, nodeId: this.engine.nodeId, runId, query, expiresMs: Math.ceil(untilMs) });
  }
}
