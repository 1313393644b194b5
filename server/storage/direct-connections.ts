/**
 * Connections of the pool that are kept at hand for the statements that everything waits for: taking one out of the pool and giving it back costs
 * two timers and a turn of the event loop each time.
 */
import type pg from 'pg';
import type { DirectParameter } from './binary-arrays.js';
import { type DirectRow, DirectStatement } from './direct-statement.js';

/** A statement whose parameters can write themselves; one with a name is prepared once per connection. */
export interface PreparedStatement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly DirectParameter[];
}

/** Connections kept at most: one group commit is under way at a time, and the others of a small pool are for everything else. */
const KEPT_MAX = 1;

export class DirectConnections {
  private free: pg.PoolClient[] = [];
  private closed = false;
  /** Their listeners. */
  private readonly watched = new WeakMap<pg.PoolClient, (error: Error) => void>();

  constructor(
    private readonly pool: pg.Pool,
    /** Whether the connection is of no more use after this error. */
    private readonly lost: (error: unknown) => boolean,
    /** Told of a connection that breaks while nothing is under way on it. */
    private readonly onBroken: (error: Error) => void,
  ) {}

  async run(statement: PreparedStatement): Promise<DirectRow[]> {
    const client = this.free.pop() ?? (await this.take());
    return new Promise((resolve, reject) => {
      client.query(
        new DirectStatement(statement.name, statement.text, statement.values, (error, rows) => {
          this.giveBack(client, error && this.lost(error) ? error : undefined);
          if (error) reject(error);
          else resolve(rows ?? []);
        }),
      );
    });
  }

  /** Gives all of them back to the pool, which can then end. */
  close(): void {
    this.closed = true;
    for (const client of this.free.splice(0)) this.release(client);
  }

  private async take(): Promise<pg.PoolClient> {
    const client = await this.pool.connect();
    const broke = (error: Error): void => {
      const at = this.free.indexOf(client);
      if (at < 0) return; // its statement is told
      this.free.splice(at, 1);
      this.release(client, error);
      this.onBroken(error);
    };
    this.watched.set(client, broke);
    client.on('error', broke);
    return client;
  }

  private giveBack(client: pg.PoolClient, broken: Error | undefined): void {
    if (broken || this.closed || this.free.length >= KEPT_MAX) this.release(client, broken);
    else this.free.push(client);
  }

  private release(client: pg.PoolClient, broken?: Error): void {
    const broke = this.watched.get(client);
    if (broke) client.off('error', broke);
    client.release(broken);
  }
}
