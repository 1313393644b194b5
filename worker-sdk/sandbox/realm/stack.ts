/** Stack traces that show the user's lines: positions in the bundle are mapped when a trace is asked for. */
import { state } from './state.js';

interface CallSite {
  toString(): string;
  getFileName(): string | null;
  getLineNumber(): number | null;
  getColumnNumber(): number | null;
}

export function installStackTraces(): void {
  Object.defineProperty(Error, 'prepareStackTrace', {
    // Libraries that set it want to see call sites; there are none for them here.
    set: () => undefined,
    get: () => prepare,
    configurable: false,
  });
  resetStackTraceLimit();
}

const FRAMES = 10;

/** The limit must stay a plain, writable property, or there are no traces at all: so what a run does to it is undone after it. */
export function resetStackTraceLimit(): void {
  if (Error.stackTraceLimit !== FRAMES) Error.stackTraceLimit = FRAMES;
}

function prepare(error: Error, sites: CallSite[]): string {
  let head: string;
  try {
    head = Error.prototype.toString.call(error);
  } catch {
    head = '<error>';
  }
  return [head, ...sites.filter(isInside).map((site) => `    at ${describe(site)}`)].join('\n');
}

/** Frames below the sandbox are nobody's business here. */
function isInside(site: CallSite): boolean {
  const file = site.getFileName();
  return file === state.host.filename || !file;
}

function describe(site: CallSite): string {
  const text = site.toString();
  if (site.getFileName() !== state.host.filename) return text;
  const line = site.getLineNumber() ?? 0;
  const column = site.getColumnNumber() ?? 0;
  const found = state.host.mapPosition(line, column);
  const place = found ? `${found.source}:${found.line}:${found.column}` : `perdure-sandbox:${line}:${column}`;
  return text.replace(`${state.host.filename}:${line}:${column}`, place);
}
