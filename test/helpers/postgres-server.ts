/** vitest's global setup: one embedded PostgreSQL for the whole run, and in it the databases that those of the tests are copied from. */
import { statfs } from 'node:fs/promises';
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

/** Names of the databases that are copied: one without anything, one with the schema and no rows. */
export const EMPTY = 'perdure_empty';
export const MIGRATED = 'perdure_migrated';

/** The same URL with another database name. */
export const withDatabase = (url: string, database: string): string => url.replace(/\/[^/?]+(?=\?|$)/, `/${database}`);

/** Hundreds of databases are copied in a run; where memory can hold files, that is much faster than any disk. */
const inMemory = async <T>(start: () => Promise<T>): Promise<T> => {
  const before = process.env['TMPDIR'];
  const space = await statfs(MEMORY).catch(() => undefined);
  if (space === undefined || space.bavail * space.bsize < 4 * 2 ** 30) return start();
  process.env['TMPDIR'] = MEMORY;
  try {
    return await start();
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
};

const MEMORY = '/dev/shm';

export default async (project: TestProject): Promise<() => Promise<void>> => {
  // The suites of the SDK run against a server that is there already: see CONTRIBUTING.
  if (process.env['PERDURE_ADDRESS']) return async () => undefined;
  const server = await inMemory(() => startEmbeddedPostgres({ durable: false, maxConnections: 400 }));
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  for (const name of [EMPTY, MIGRATED]) await client.query(`create database ${name} template perdure`);
  await client.end();
  await migrate(withDatabase(server.url, MIGRATED));
  project.provide('postgresUrl', server.url);
  return () => server.stop();
};
