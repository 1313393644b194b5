/** Lengths of texts in bytes of UTF-8: what limits count, in the open API as in PostgreSQL. */
import type { Problem } from './problem.js';

export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) bytes++;
    // A surrogate is half of a character of four bytes, so it counts two.
    if (code > 0x7ff && (code < 0xd800 || code > 0xdfff)) bytes++;
  }
  return bytes;
}

/** Whether a text is longer than so many bytes; texts that cannot be are not measured. */
export const exceeds = (text: string, bytesMax: number): boolean => text.length * 3 > bytesMax && utf8Length(text) > bytesMax;

/** PostgreSQL stores every character but this one. */
export const nulProblem = (field: string, text: string): Problem =>
  text.includes('\0') ? `${field} contains a NUL character, which cannot be stored.` : undefined;
