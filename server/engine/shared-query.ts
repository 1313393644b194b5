/** A query as other nodes see it: a row, made when it is first needed, and hints that it is there. */
import { api } from '../core/api.js';
import type { QueryOffer } from '../storage/queries.js';
import { noticeOf } from './announcer.js';
import type { Change, Engine } from './engine.js';
import type { PendingQuery } from './pending-queries.js';

export class SharedQuery {
  /** The row as it is written, or is about to be. */
  private written: Promise<void> | undefined;
  private last: QueryOffer | 'rides' | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly pending: PendingQuery,
  ) {}

  /** Tells other nodes, if there are any, that the query waits for the next workflow task of its run. Told again, it only hints again. */
  async rides(): Promise<void> {
    await this.tell('rides', { kind: 'query-rides', runId: this.pending.runId, untilMs: this.pending.untilMs });
  }

  /** Tells other nodes that the query waits for a poller of a queue. A new offer may be taken, whoever has taken one before. */
  async offered(offer: QueryOffer): Promise<void> {
    await this.tell(offer, { kind: 'query-offered', queryId: this.pending.id, runId: this.pending.runId, ...offer });
  }

  /** Whether this node may hand the query to a worker: nobody waits in vain, and no other node has done it. */
  async take(): Promise<boolean> {
    const { engine, pending } = this;
    if (!this.written) return !pending.settled();
    await this.written;
    return !pending.settled() && (await engine.sharedQueries.take(pending.id, engine.wall.now())) !== undefined;
  }

  async end(): Promise<void> {
    if (!this.written) return;
    await this.written.catch(() => undefined);
    await this.engine.sharedQueries.withdraw(this.pending.id);
  }

  private async tell(offer: QueryOffer | 'rides', change: Change): Promise<void> {
    const { engine, pending } = this;
    if (!engine.otherNodes() || pending.settled()) return;
    if (this.last !== offer) {
      this.last = offer;
      this.written = this.write(offer === 'rides' ? undefined : offer, change);
      await this.written;
    } else {
      await this.written;
      engine.notify(change);
    }
  }

  private write(offer: QueryOffer | undefined, change: Change): Promise<void> {
    const { id: queryId, namespaceId, runId, untilMs } = this.pending;
    const { nodeId, sharedQueries } = this.engine;
    const query = api.query.v1.WorkflowQuery.encode(this.pending.query).finish();
    const shared = { queryId, nodeId, namespaceId, runId, query, offer, untilMs: offer?.untilMs ?? untilMs };
    return sharedQueries.share(shared, noticeOf(nodeId, [change]));
  }
}
