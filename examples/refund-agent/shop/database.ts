/** The shop's database: one pool for a process, reads that cannot write, writes that happen whole or not at all. */
import pg from 'pg';

/** A query of the agent that takes longer is cut off. */
const STATEMENT_TIMEOUT_MS = 2_000;

export type Query = <Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]) => Promise<Row[]>;

export interface ShopDatabase {
  /** Runs queries in a read-only transaction with a statement timeout. */
  read<T>(work: (query: Query) => Promise<T>): Promise<T>;
  /** Runs queries in a transaction. */
  write<T>(work: (query: Query) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** int8 and dates as they are easiest to work with: numbers, and texts such as `2026-10-05`. */
const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === pg.types.builtins.INT8) return Number;
    if (oid === pg.types.builtins.DATE) return String;
    return pg.types.getTypeParser(oid, format as 'text');
  },
};

export function openShopDatabase(url: string): ShopDatabase {
  const pool = new pg.Pool({ connectionString: url, max: 5, types, application_name: 'refund-agent', connectionTimeoutMillis: 10_000 });
  pool.on('error', () => undefined); // an idle connection was lost; the next query gets a new one

  const inTransaction = async <T>(begin: string, work: (query: Query) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    let broken: Error | undefined;
    const lost = (error: Error): void => {
      broken = error;
    };
    client.on('error', lost);
    try {
      await client.query(begin);
      await client.query(`set local statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
      const result = await work(async (sql, values = []) => (await client.query(sql, [...values])).rows);
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch(lost);
      throw error;
    } finally {
      client.off('error', lost);
      client.release(broken);
    }
  };

  return {
    read: (work) => inTransaction('begin transaction read only', work),
    write: (work) => inTransaction('begin', work),
    close: () => pool.end(),
  };
}

/** DATABASE_URL, or a plain sentence about what is missing. */
export function databaseUrl(): string {
  const url = process.env['DATABASE_URL'];
  if (url) return url;
  console.error('DATABASE_URL is not set: expected the postgres:// URL of the database that holds the shop. `npm start` in the root of the repository sets it.');
  process.exit(2);
}
