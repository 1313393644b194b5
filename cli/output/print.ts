/** Ways to print an answer: a table for people, JSON for programs, pairs for one thing. */
import { stripVTControlCharacters } from 'node:util';

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));

/** What others wrote must not steer the terminal it is shown on. */
export const clean = (text: string): string => stripVTControlCharacters(text).replace(/\p{Cc}+/gu, ' ');

/** Columns as wide as their widest cell; the last one may run over. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const lines = [head, ...rows].map((row) => row.map(clean));
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines.map((line) => line.map((cell, column) => (column === line.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  ').trimEnd()).join('\n');
};

/** `name  value` lines; pairs without a value are left out. */
export const pairs = (entries: readonly (readonly [string, string | undefined])[]): string => {
  const shown = entries.filter((entry): entry is readonly [string, string] => entry[1] !== undefined && entry[1] !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${clean(value)}`).join('\n');
};
