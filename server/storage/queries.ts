/** Queries between nodes: asked at one, handed to a worker at another, answered at a third. Only used where several nodes share the database. */
import type { Database } from './database.js';

export interface SharedQuery {
  queryId: string;
  /** The node that asks. */
  nodeId: string;
  namespaceId: string;
  runId: string;
  /** Encoded WorkflowQuery. */
  query: Uint8Array;
  /** Undefined: the query rides on the run's next workflow task. */
  offer: QueryOffer | undefined;
  /** When it is of no use any more, in milliseconds since the epoch. */
  untilMs: number;
}

/** A query that waits for a poller of a task queue. */
export interface QueryOffer {
  namespaceId: string;
  queue: string;
  /** The queue is that of the worker which holds the run. */
  sticky: boolean;
  untilMs: number;
}

export interface SharedAnswer {
  queryId: string;
  nodeId: string | undefined;
  answer: Uint8Array;
  expiresMs: number;
}

interface Columns extends Record<string, unknown> {
  query_id: string;
  query: Buffer;
}

interface SharedColumns extends Record<string, unknown> {
  query_id: string;
  node_id: string;
  namespace_id: string;
  run_id: string;
  queue: string | null;
  sticky: boolean;
  expires_ms: number;
}

export class Queries {
  constructor(private readonly database: Database) {}

  /** Puts the query where other nodes see it, with a notice of it; one that was taken can be taken again. */
  async share({ queryId, nodeId, namespaceId, runId, query, offer, untilMs }: SharedQuery, notice: string): Promise<void> {
    await this.database.query({
      name: 'query-share',
      text: `insert into queries (query_id, node_id, namespace_id, run_id, query, queue, sticky, expires_ms) values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (query_id) do update set taken = false, queue = excluded.queue, sticky = excluded.sticky, expires_ms = excluded.expires_ms
        returning pg_notify('perdure', $9)`,
      values: [queryId, nodeId, namespaceId, runId, query, offer?.queue ?? null, offer?.sticky ?? false, Math.ceil(untilMs), notice],
    });
  }

  /** What other nodes share and nobody has taken. */
  async ofOthers(nodeId: string, nowMs: number): Promise<Omit<SharedQuery, 'query'>[]> {
    const rows = await this.database.query<SharedColumns>({
      name: 'queries-others',
      text: `select query_id, node_id, namespace_id, run_id, queue, sticky, expires_ms from queries
        where node_id <> $1 and not taken and expires_ms > $2 limit 1000`,
      values: [nodeId, nowMs],
    });
    return rows.map((r) => ({
      queryId: r.query_id,
      nodeId: r.node_id,
      namespaceId: r.namespace_id,
      runId: r.run_id,
      offer: r.queue === null ? undefined : { namespaceId: r.namespace_id, queue: r.queue, sticky: r.sticky, untilMs: r.expires_ms },
      untilMs: r.expires_ms,
    }));
  }

  async withdraw(queryId: string): Promise<void> {
    await this.database.query({ name: 'query-withdraw', text: 'delete from queries where query_id = $1', values: [queryId] });
  }

  /** Takes a query to hand it to a worker here; undefined when another node has taken it or nobody waits for it any more. */
  async take(queryId: string, nowMs: number): Promise<Buffer | undefined> {
    const rows = await this.database.query<Columns>({
      name: 'query-take',
      text: 'update queries set taken = true where query_id = $1 and not taken and expires_ms > $2 returning query',
      values: [queryId, Math.floor(nowMs)],
    });
    return rows[0]?.query;
  }

  /** Queries of other nodes that the run's next workflow task takes along. */
  async ridingOn(runId: string, exceptNodeId: string, nowMs: number): Promise<{ queryId: string; query: Buffer }[]> {
    const rows = await this.database.query<Columns>({
      name: 'queries-riding',
      text: 'select query_id, query from queries where run_id = $1 and node_id <> $2 and expires_ms > $3 and queue is null',
      values: [runId, exceptNodeId, Math.floor(nowMs)],
    });
    return rows.map((r) => ({ queryId: r.query_id, query: r.query }));
  }

  /** Leaves an answer for the node that asked (the one named, or else the one that shared the query), with a notice of it. */
  async answer({ queryId, nodeId, answer, expiresMs }: SharedAnswer, notice: string): Promise<void> {
    await this.database.query({
      name: 'query-answer',
      text: `insert into query_answers (query_id, node_id, answer, expires_ms)
        select $1, n.node_id, $3, $4
        from (select coalesce($2::uuid, (select q.node_id from queries q where q.query_id = $1)) as node_id) n where n.node_id is not null
        returning pg_notify('perdure', $5)`,
      values: [queryId, nodeId ?? null, answer, expiresMs, notice],
    });
  }

  /** The answers that lie here for a node. */
  async takeAnswers(nodeId: string): Promise<{ queryId: string; answer: Buffer }[]> {
    const rows = await this.database.query<{ query_id: string; answer: Buffer }>({
      name: 'query-answers-take',
      text: 'delete from query_answers where node_id = $1 returning query_id, answer',
      values: [nodeId],
    });
    return rows.map((r) => ({ queryId: r.query_id, answer: r.answer }));
  }

  /** Removes what nobody waits for any more. */
  async sweep(nowMs: number): Promise<void> {
    await this.database.query({ name: 'queries-sweep', text: 'delete from queries where expires_ms <= $1', values: [nowMs] });
    await this.database.query({ name: 'query-answers-sweep', text: 'delete from query_answers where expires_ms <= $1', values: [nowMs] });
  }
}
