/** The connection to PostgreSQL: a pool for statements, one connection that listens. Survives a database that goes away and comes back. */
import { ServiceError } from '../core/errors.js';
import { DirectConnections, type PreparedStatement } from './direct-connections.js';
import type { DirectRow } from './direct-statement.js';
import pg from './driver.js';
import { Silence } from './silence.js';

const INT8 = 20;
const INT8_ARRAY = 1016;

/** int8 as number: every int8 column of ours holds milliseconds, counts or ids below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === INT8) return Number;
    if (oid === INT8_ARRAY) return (text: string) => text.slice(1, -1).split(',').filter(Boolean).map(Number);
    return pg.types.getTypeParser(oid, format as 'text');
  },
};

export type Row = Record<string, unknown>;

/** A statement with a name is prepared once per connection. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

export interface DatabaseOptions {
  readonly url: string;
  readonly poolSize: number;
  readonly onError: (error: Error) => void;
  /** Called when a statement was lost on its way: what it would have stored may or may not be there. */
  readonly onLost?: () => void;
  /** A statement without an answer for so long, or a connection that is not made, counts as lost; default 30,000. */
  readonly timeoutMs?: number;
  /** A network that was cut says nothing: when nothing is heard for so long the database is asked, and has as long to answer; default 3,000. */
  readonly silentMs?: number;
}

/** The database does not answer. Callers are told to come again: UNAVAILABLE is what SDKs retry. */
export class DatabaseLost extends ServiceError {
  constructor(cause: unknown) {
    super('UNAVAILABLE', 'The database does not answer; whether a change was stored is not known. Please retry.');
    this.cause = cause;
  }
}

const TIMEOUT_MS = 30_000;
/** A connection takes milliseconds. One that is not made so soon is tried anew, as TCP itself asks again ever more seldom. */
const CONNECT_MS = 5_000;

/** Of the pool: the time to connect is one thing, and the time to wait until a connection is free another. */
class PoolClient extends pg.Client {
  constructor(config: pg.ClientConfig = {}) {
    super({ ...config, connectionTimeoutMillis: Math.min(config.connectionTimeoutMillis ?? CONNECT_MS, CONNECT_MS) });
  }
}

export class Database {
  private readonly pool: pg.Pool;
  private readonly direct: DirectConnections;
  private closing = false;
  /** Every connection that there is. */
  private readonly connections = new Set<pg.Client>();
  private readonly silence: Silence | undefined;

  constructor(private readonly options: DatabaseOptions) {
    this.pool = new pg.Pool({
      connectionString: options.url,
      max: Math.max(2, options.poolSize - 1),
      types,
      Client: PoolClient,
      application_name: 'perdure',
      idleTimeoutMillis: 0,
      keepAlive: true,
      query_timeout: options.timeoutMs ?? TIMEOUT_MS,
      connectionTimeoutMillis: options.timeoutMs ?? TIMEOUT_MS,
      // every statement is prepared and the same whatever its values: planning each anew would cost more than running it
      // and every one finds its rows by an index, also while tables are too small for the planner to see why
      // and in the index's order instead of gathering them all first, which costs more only on disks that turn
      options: '-c random_page_cost=1.1 -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off',
    });
    const onError = (error: Error & { client?: unknown }): void => {
      delete error.client; // the driver hangs its whole connection on the error, and a log would print it
      if (!this.closing) options.onError(error);
    };
    this.pool.on('error', onError);
    this.pool.on('connect', (client) => this.connections.add(client as pg.PoolClient & pg.Client));
    this.pool.on('remove', (client) => this.connections.delete(client as pg.PoolClient & pg.Client));
    this.silence = this.watchSilence();
    this.direct = new DirectConnections(this.pool, connectionLost, onError);
  }

  /** None where there is no network: PostgreSQL's own socket on this machine. */
  private watchSilence(): Silence | undefined {
    const { url, silentMs } = this.options;
    const { host, port } = new pg.Client({ connectionString: url });
    if (host.startsWith('/')) return undefined;
    return new Silence({ host, port, onSilent: () => this.giveUp(), ...(silentMs !== undefined && { silentMs, answerMs: silentMs }) });
  }

  /** Ends all connections, and with them the statements that nobody will answer: their callers are told now, and new connections are made at once when the network is back. */
  private giveUp(): void {
    for (const client of this.connections) streamOf(client)?.destroy(new Error('Connection terminated: the database is not heard any more'));
  }

  async query<R extends Row = Row>(statement: Statement): Promise<R[]> {
    this.silence?.asked();
    try {
      const result = await this.pool.query<R>({
        ...(statement.name ? { name: statement.name } : {}),
        text: statement.text,
        values: statement.values as unknown[],
      });
      return result.rows;
    } catch (error) {
      throw this.told(error);
    } finally {
      this.silence?.answered();
    }
  }

  /** The same by the shortest way, for the statement that every transition waits for. Rows are the texts of their columns. */
  async execute(statement: PreparedStatement): Promise<DirectRow[]> {
    this.silence?.asked();
    try {
      return await this.direct.run(statement);
    } catch (error) {
      throw this.told(error);
    } finally {
      this.silence?.answered();
    }
  }

  /** Several statements in one transaction on one connection. */
  async transaction<R>(work: (query: (statement: Statement) => Promise<Row[]>) => Promise<R>): Promise<R> {
    const client = await this.pool.connect().catch((error: unknown) => {
      throw this.told(error);
    });
    let broken: Error | undefined;
    try {
      await client.query('begin');
      const result = await work(async (s) => (await client.query<Row>({ ...(s.name ? { name: s.name } : {}), text: s.text, values: s.values as unknown[] })).rows);
      await client.query('commit');
      return result;
    } catch (error) {
      if (connectionLost(error)) {
        broken = error as Error;
        throw this.told(error);
      }
      await client.query('rollback').catch((e: Error) => {
        broken = e;
      });
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /** What callers are told of an error. */
  private told(error: unknown): unknown {
    if (!connectionLost(error)) return error;
    this.options.onLost?.();
    return new DatabaseLost(error);
  }

  /** A connection of its own, outside the pool, for listening. */
  async connect(): Promise<pg.Client> {
    const { timeoutMs = TIMEOUT_MS } = this.options;
    const client = new pg.Client({ connectionString: this.options.url, types, application_name: 'perdure listen', keepAlive: true, query_timeout: timeoutMs, connectionTimeoutMillis: Math.min(timeoutMs, CONNECT_MS) });
    this.connections.add(client);
    client.once('end', () => this.connections.delete(client));
    await client.connect().catch((error: unknown) => {
      this.connections.delete(client);
      throw error;
    });
    return client;
  }

  async close(): Promise<void> {
    this.closing = true;
    this.silence?.stop();
    this.direct.close();
    await this.pool.end();
  }
}

const streamOf = (client: pg.Client): { destroy(error: Error): unknown } | undefined =>
  (client as unknown as { connection?: { stream?: { destroy(error: Error): unknown } } }).connection?.stream;

/** SQLSTATE of an error that PostgreSQL reported, '' for any other. Errors of the system have codes too, some as long as one (EPIPE), and a number. */
export const sqlState = (error: unknown): string => {
  const { code, errno } = error as { code?: unknown; errno?: unknown };
  return errno === undefined && typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : '';
};

/** The database stops, starts, is full, or has been replaced by another (25006: this one only reads by now); 08P01 is how poolers say that they lost it. */
const LOST = new Set(['57P01', '57P02', '57P03', '57P05', '53300', '25006', '08000', '08001', '08003', '08004', '08006', '08P01']);

/** Whether the statement may or may not have been carried out, because the connection was lost. */
export const connectionLost = (error: unknown): boolean => {
  const state = sqlState(error);
  if (state) return LOST.has(state);
  const { code, message } = error as { code?: string; message?: string };
  return /^E[A-Z]+$/.test(code ?? '') || /Connection terminated|connection timeout|timeout expired|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable/i.test(message ?? '');
};
