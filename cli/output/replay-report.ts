/** What replays came to: for people, with the line of code that left history; for programs, as plain objects. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { RecordedHistory } from '../code/histories.js';
import type { HistoryMismatch } from '../code/load-sdk.js';
import { clean } from './print.js';

export interface Replayed {
  readonly source: string;
  readonly workflowId: string;
  readonly workflowType: string;
  readonly runId: string;
  readonly events: number;
  /** `fails`: the code throws, or has no such workflow. `unreadable`: it is no history, so nothing is known. */
  readonly outcome: 'matches' | 'diverges' | 'fails' | 'unreadable';
  readonly divergence?: HistoryMismatch;
  readonly error?: { readonly name: string; readonly message: string; readonly stack?: string };
}

/** Errors of the SDK, and of reading, that say so. */
const NO_HISTORY: ReadonlySet<string> = new Set(['ReplayError', 'ValueError', 'SyntaxError', 'UserError']);

export const outcomeOf = ({ source, workflowId, workflowType, events }: RecordedHistory, error?: Error, runId = ''): Replayed => {
  const facts = { source, workflowId, workflowType, runId, events };
  if (error === undefined) return { ...facts, outcome: 'matches' };
  const { name, message, stack } = error;
  const divergence = (error as { mismatch?: HistoryMismatch }).mismatch;
  if (divergence) return { ...facts, outcome: 'diverges', divergence, error: { name, message } };
  if (NO_HISTORY.has(name)) return { ...facts, outcome: 'unreadable', error: { name, message } };
  const lines = stack?.split('\n').filter((line) => !line.includes('perdure-sandbox:'));
  return { ...facts, outcome: 'fails', error: { name, message, ...(lines && { stack: lines.join('\n') }) } };
};

export interface Summary {
  readonly matching: number;
  readonly diverging: number;
  readonly failing: number;
  readonly unreadable: number;
}

export const summaryOf = (replayed: readonly Replayed[]): Summary => {
  const count = (outcome: Replayed['outcome']): number => replayed.filter((one) => one.outcome === outcome).length;
  return { matching: count('matches'), diverging: count('diverges'), failing: count('fails'), unreadable: count('unreadable') };
};

export const summaryText = ({ matching, diverging, failing, unreadable }: Summary): string => {
  const all = matching + diverging + failing + unreadable;
  const parts = [`${matching} of ${all} ${all === 1 ? 'history matches' : 'histories match'}`];
  if (diverging > 0) parts.push(`${diverging} ${diverging === 1 ? 'diverges' : 'diverge'}`);
  if (failing > 0) parts.push(`the code fails in ${failing}`);
  if (unreadable > 0) parts.push(`${unreadable} ${unreadable === 1 ? 'is' : 'are'} unreadable`);
  return parts.join(', ');
};

export const reported = (one: Replayed): string => {
  const head = `${one.outcome === 'matches' ? 'ok  ' : 'FAIL'} ${clean(one.workflowId)} (${[clean(one.workflowType), `${one.events} events`].filter((part) => part !== '').join(', ')})`;
  if (one.outcome === 'matches') return head;
  const from = one.source === one.workflowId ? '' : `, from ${clean(one.source)}`;
  if (one.divergence) return `${head}${from}\n${indented(divergenceText(one.divergence))}\n`;
  return `${head}${from}\n${indented(one.error?.stack ?? one.error?.message ?? '')}\n`;
};

const divergenceText = ({ eventId, history, code, location, issuedAt, advice }: HistoryMismatch): string => {
  const place = location ? `${relative('', location.file)}:${location.line}:${location.column}${location.functionName === undefined ? '' : `, in ${location.functionName}`}` : issuedAt;
  const lines = [
    `event ${eventId}  history holds ${history}`,
    `${' '.repeat(`event ${eventId}`.length)}  the code ${code ?? 'did nothing more'}`,
    ...(place === undefined ? [] : [`${code === undefined ? 'it waits at' : 'at'} ${place}`]),
  ];
  const excerpt = location && excerptOf(location.file, location.line, location.column);
  return [...lines.map(clean), ...(excerpt ? ['', excerpt] : []), '', advice].join('\n');
};

/** The line of code with its neighbours. */
const excerptOf = (file: string, line: number, column: number): string | undefined => {
  let source: string[];
  try {
    source = readFileSync(file, 'utf8').split('\n');
  } catch {
    return undefined; // a bundle can be replayed where its sources are not
  }
  if (source[line - 1] === undefined) return undefined;
  const first = Math.max(1, line - 2);
  const width = String(line + 1).length;
  const numbered = source.slice(first - 1, line + 1).map((text, i) => `${first + i === line ? '>' : ' '} ${String(first + i).padStart(width)} | ${printable(text)}`);
  numbered.splice(line - first + 1, 0, `  ${' '.repeat(width)} | ${' '.repeat(column - 1)}^`);
  return numbered.join('\n').trimEnd();
};

/** Columns stay where they are. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, ' ').trimEnd();

const indented = (text: string): string => text.split('\n').map((line) => (line === '' ? '' : `     ${line}`)).join('\n');
