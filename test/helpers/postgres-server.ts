/** vitest's global setup: one embedded PostgreSQL for the whole run, and in it a migrated database that those of the tests are copied from. */
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../server/postgres/embedded-postgres.js';
import { migrate } from '../../server/storage/migrate.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** URL of the server's first database, whose user may create others. */
    postgresUrl: string;
  }
}

/** Name of the database that holds the schema and no rows. */
export const TEMPLATE = 'perdure_migrated';

/** The same URL with another database name. */
export const withDatabase = (url: string, database: string): string => url.replace(/\/[^/?]+(?=\?|$)/, `/${database}`);

export default async (project: TestProject): Promise<() => Promise<void>> => {
  const server = await startEmbeddedPostgres({ durable: false, maxConnections: 400 });
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query(`create database ${TEMPLATE}`);
  await client.end();
  await migrate(withDatabase(server.url, TEMPLATE));
  project.provide('postgresUrl', server.url);
  return () => server.stop();
};
