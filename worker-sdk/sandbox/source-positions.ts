/** From positions in a bundle to positions in the user's sources. The map is read when the first stack trace is asked for. */
import { SourceMap, type SourceMapPayload } from 'node:module';
import { resolve } from 'node:path';
import type { IndexMap } from './bundler.js';
import { SDK_FOLDER } from './sdk-folder.js';

export interface SourcePosition {
  source: string;
  line: number;
  column: number;
}

/** The map of what begins at a line. One map for each part: not every runtime reads maps of maps. */
interface Section {
  /** From 0. */
  line: number;
  map: SourceMap;
}

export class SourcePositions {
  #sections: Section[] = [];
  #payload: IndexMap | (() => IndexMap | undefined) | undefined;

  constructor(payload: IndexMap | (() => IndexMap | undefined)) {
    this.#payload = payload;
  }

  /** Line and column count from 1, as in stack traces. */
  find(line: number, column: number): SourcePosition | undefined {
    const section = this.#load().findLast((part) => part.line < line);
    const entry = section?.map.findEntry(line - 1 - section.line, column - 1);
    if (!entry || !('originalSource' in entry) || entry.originalSource === undefined) return undefined;
    return { source: displayed(entry.originalSource), line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  }

  /** The text of a source file, by the name that {@link find} shows. */
  sourceOf(path: string): string | undefined {
    for (const { map } of this.#load()) {
      const { sources, sourcesContent } = map.payload as { sources: string[]; sourcesContent?: (string | null)[] };
      const at = sources.findIndex((source) => displayed(source) === path);
      if (at >= 0) return sourcesContent?.[at] ?? undefined;
    }
    return undefined;
  }

  #load(): Section[] {
    const payload = typeof this.#payload === 'function' ? this.#payload() : this.#payload;
    this.#payload = undefined;
    if (payload) this.#sections = payload.sections.map(({ offset, map }) => ({ line: offset.line, map: new SourceMap(map as SourceMapPayload) }));
    return this.#sections;
  }
}

/** The SDK's own files are marked, so that they can be left out of what users see. */
function displayed(source: string): string {
  if (source.startsWith('perdure-sandbox:')) return source;
  const path = resolve(source);
  return path.startsWith(SDK_FOLDER) ? `perdure-sandbox:${path.slice(SDK_FOLDER.length)}` : path;
}
