/** Fills the shop's schema from the CSV files. Loading again adds what is missing and changes nothing. */
import { readFile } from 'node:fs/promises';
import { parseCsv } from './csv.js';
import type { ShopDatabase } from './database.js';

/** Beside `dist/`, where this file runs compiled, or beside the sources. */
const DATA = new URL(import.meta.url.includes('/dist/shop/') ? '../../data/' : '../data/', import.meta.url);

/** In the order in which they refer to each other. */
const TABLES = ['customers', 'orders', 'payments', 'disputes'] as const;

export interface LoadedTable {
  readonly table: string;
  readonly rows: number;
  readonly added: number;
}

export async function loadShop(database: ShopDatabase): Promise<LoadedTable[]> {
  const schema = await readFile(new URL('schema.sql', DATA), 'utf8');
  const files = await Promise.all(TABLES.map(async (table) => ({ table, rows: parseCsv(await readFile(new URL(`${table}.csv`, DATA), 'utf8')) })));
  return database.write(async (query) => {
    await query("select pg_advisory_xact_lock(hashtext('refund-agent seed'))"); // two seeds at once take turns
    for (const statement of statements(schema)) await query(statement);
    const loaded: LoadedTable[] = [];
    for (const { table, rows } of files) {
      const added = await query(
        `insert into shop.${table} select * from json_populate_recordset(null::shop.${table}, $1::json) on conflict do nothing returning id`,
        [JSON.stringify(rows)],
      );
      loaded.push({ table, rows: rows.length, added: added.length });
    }
    return loaded;
  });
}

const statements = (sql: string): string[] =>
  sql
    .replaceAll(/^\s*--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter(Boolean);
