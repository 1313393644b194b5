/** The words of a list query: names, strings, numbers, operators. Positions are kept for messages. */
import { invalidArgument, type ServiceError } from '../errors.js';

export type Token =
  | { kind: 'name'; text: string; quoted: boolean; at: number }
  | { kind: 'string'; text: string; at: number }
  | { kind: 'number'; text: string; at: number }
  | { kind: 'symbol'; text: string; at: number }
  | { kind: 'end'; text: ''; at: number };

export const badQuery = (why: string): ServiceError => invalidArgument(`invalid query: ${why}`);

const syntax = (at: number): ServiceError => badQuery(`malformed query: syntax error at position ${at}`);

const SPACE = /\s+|--[^\n]*/y;
const NAME = /[A-Za-z_][A-Za-z0-9_.-]*/y;
const NUMBER = /[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?/y;
const SYMBOL = /<=|>=|!=|<>|[=<>(),+*]/y;

export function tokenize(query: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(query)?.[0];
  };
  while (at < query.length) {
    const space = match(SPACE);
    if (space) {
      at += space.length;
      continue;
    }
    const quote = query[at];
    if (quote === "'" || quote === '"' || quote === '`') {
      const { text, end } = quoted(query, at, quote);
      tokens.push(quote === '`' ? { kind: 'name', text, quoted: true, at } : { kind: 'string', text, at });
      at = end;
      continue;
    }
    const token = word(match, at);
    if (!token) throw syntax(at + 1);
    tokens.push(token);
    at += token.text.length;
  }
  tokens.push({ kind: 'end', text: '', at: query.length });
  return tokens;
}

function word(match: (pattern: RegExp) => string | undefined, at: number): Token | undefined {
  const name = match(NAME);
  if (name) return { kind: 'name', text: name, quoted: false, at };
  const number = match(NUMBER);
  if (number) return { kind: 'number', text: number, at };
  const symbol = match(SYMBOL);
  return symbol ? { kind: 'symbol', text: symbol, at } : undefined;
}

/** A quoted text; the quote itself is written twice or behind a backslash. */
function quoted(query: string, start: number, quote: string): { text: string; end: number } {
  let text = '';
  for (let at = start + 1; at < query.length; at++) {
    const char = query[at]!;
    if (char === '\\' && at + 1 < query.length) text += query[++at];
    else if (char !== quote) text += char;
    else if (query[at + 1] === quote) text += query[++at];
    else return { text, end: at + 1 };
  }
  throw syntax(query.length);
}

export const syntaxError = (token: Token): ServiceError =>
  token.text ? badQuery(`malformed query: syntax error at position ${token.at + 1} near '${token.text}'`) : syntax(token.at + 1);
