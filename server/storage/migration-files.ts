/** The SQL files that make the schema, as they lie beside the code. Apart from those who apply them, so that they can be known before the driver is loaded. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../package-files.js';

/** The schema and the code do not fit together; the text says what to do. Trying again does not help. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

export interface Migration {
  readonly version: number;
  readonly file: string;
  readonly sql: string;
  readonly checksum: string;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** In their order. Small files, read at once: asking for each by itself takes longer than reading it, and nobody is served yet. */
export const readMigrations = (directory: string = packageFolder('migrations')): Migration[] => {
  const files = readdirSync(directory).filter((file) => file.endsWith('.sql')).sort();
  return files.map((file, index) => {
    const version = Number.parseInt(file, 10);
    if (version !== index + 1) throw new MigrationError(`Migrations are numbered without a gap: expected ${index + 1}, got the file ${file}.`);
    const sql = readFileSync(join(directory, file), 'utf8');
    return { version, file, sql, checksum: sha256(sql) };
  });
};

/** A word for the schema that they make: another text in any of them makes another one. */
export const schemaKey = (): string => sha256(readMigrations().map(({ checksum }) => checksum).join()).slice(0, 12);
