/**
 * The engine's code in one piece. Node loads hundreds of small files one by one, which is a quarter of a start; `npm run build` joins them
 * (scripts/bundle.mjs) and notes of which files. Whoever compiles without joining, or changes a compiled file by hand, gets what he compiled:
 * the piece is used only while every file that went into it is as it was.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';

/** What can be started: files of `dist`, which the piece has under the same names. */
export type Entry = 'main.js' | 'group-member.js';

/** Size and time of change of each file that went into the piece, by its path from `dist`. */
export type JoinedFiles = Readonly<Record<string, readonly [size: number, mtimeMs: number]>>;

const PIECE = 'bundle';
/** In the piece's folder. */
const NOTE = 'files.json';
/** Left by the compiler in a checkout only. Where nobody compiles (a package, an image), installing has changed all times, and sizes have to do. */
const COMPILERS_NOTE = 'tsconfig.tsbuildinfo';

const isAsJoined = (dist: URL): boolean => {
  const note = new URL(`${PIECE}/${NOTE}`, dist);
  if (!existsSync(note)) return false;
  const compiledHere = existsSync(new URL(COMPILERS_NOTE, dist));
  const files = JSON.parse(readFileSync(note, 'utf8')) as JoinedFiles;
  return Object.entries(files).every(([path, [size, mtimeMs]]) => {
    const found = statSync(new URL(path, dist), { throwIfNoEntry: false });
    return found !== undefined && found.size === size && (!compiledHere || found.mtimeMs === mtimeMs);
  });
};

/** Where to import it from: the piece if it is what `dist` holds, else the file itself. */
export const inOnePiece = (entry: Entry, dist: URL = new URL('.', import.meta.url)): URL => new URL(isAsJoined(dist) ? `${PIECE}/${entry}` : entry, dist);
