/** Databases for tests, on the one real PostgreSQL that the run started. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { EMPTY, MIGRATED, withDatabase } from './postgres-server.js';

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** Drops it, whoever is still connected. */
  drop(): Promise<void>;
}

const asAdmin = async (sql: string): Promise<void> => {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
};

/** A new database. Migrated unless told otherwise. */
export const createDatabase = async (options: { readonly migrated?: boolean } = {}): Promise<TestDatabase> => {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin(`create database ${name} template ${options.migrated === false ? EMPTY : MIGRATED}`);
  return { name, url: withDatabase(inject('postgresUrl'), name), drop: () => asAdmin(`drop database if exists ${name} with (force)`) };
};

/** A database of this test file's own (or of the `describe` it is called in): there before its tests, dropped after them. */
export const useDatabase = (options?: { readonly migrated?: boolean }): { readonly url: string; readonly name: string } => {
  let database: TestDatabase | undefined;
  beforeAll(async () => {
    database = await createDatabase(options);
  });
  afterAll(() => database?.drop());
  const made = (): TestDatabase => {
    if (database === undefined) throw new Error('The database exists while tests and hooks run, not before.');
    return database;
  };
  return {
    get url() {
      return made().url;
    },
    get name() {
      return made().name;
    },
  };
};
