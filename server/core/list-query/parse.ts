/** A list query as a tree: comparisons of search attributes joined by AND, OR, NOT. What the names and values mean is checked later. */
import { badQuery, syntaxError, type Token, tokenize } from './tokens.js';

export type Literal = { kind: 'string'; value: string } | { kind: 'number'; value: string } | { kind: 'bool'; value: boolean };

export type CompareOperator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'LIKE' | 'NOT LIKE' | 'STARTS_WITH' | 'NOT STARTS_WITH';

export type QueryNode =
  | { type: 'and' | 'or'; parts: QueryNode[] }
  | { type: 'not'; part: QueryNode }
  | { type: 'compare'; name: string; operator: CompareOperator; value: Literal }
  | { type: 'in'; name: string; negated: boolean; values: Literal[] }
  | { type: 'between'; name: string; negated: boolean; low: Literal; high: Literal }
  | { type: 'null'; name: string; negated: boolean };

export interface ParsedQuery {
  where: QueryNode | undefined;
  groupBy: string[];
}

/** Nested parentheses and NOTs at most: deeper queries are refused before they exhaust the stack. */
const DEPTH_MAX = 100;
const KEYWORDS = new Set([
  'AND',
  'OR',
  'NOT',
  'IN',
  'BETWEEN',
  'IS',
  'NULL',
  'LIKE',
  'STARTS_WITH',
  'ORDER',
  'GROUP',
  'BY',
  'LIMIT',
  'XOR',
  'SELECT',
  'DROP',
]);
const SYMBOLS = new Map<string, CompareOperator>([
  ['=', '='],
  ['!=', '!='],
  ['<>', '!='],
  ['<', '<'],
  ['<=', '<='],
  ['>', '>'],
  ['>=', '>='],
]);

export function parseListQuery(query: string): ParsedQuery {
  const parser = new Parser(tokenize(query));
  return parser.query();
}

class Parser {
  private at = 0;
  private depth = 0;
  constructor(private readonly tokens: readonly Token[]) {}

  query(): ParsedQuery {
    const first = this.peek();
    const where =
      first.kind === 'end' || this.isKeyword('ORDER') || this.isKeyword('GROUP') || this.isKeyword('LIMIT') ? undefined : this.or();
    let groupBy: string[] = [];
    if (this.takeKeyword('GROUP')) groupBy = this.groupBy();
    if (this.takeKeyword('ORDER')) throw badQuery("operation is not supported: 'ORDER BY' clause");
    if (this.takeKeyword('LIMIT')) throw badQuery("operation is not supported: 'LIMIT' clause");
    if (this.peek().kind !== 'end') throw syntaxError(this.peek());
    return { where, groupBy };
  }

  private groupBy(): string[] {
    if (!this.takeKeyword('BY')) throw syntaxError(this.peek());
    const names = [this.name()];
    while (this.takeSymbol(',')) names.push(this.name());
    return names;
  }

  private or(): QueryNode {
    const parts = [this.and()];
    while (this.takeKeyword('OR')) parts.push(this.and());
    return parts.length === 1 ? parts[0]! : { type: 'or', parts };
  }

  private and(): QueryNode {
    const parts = [this.not()];
    while (this.takeKeyword('AND')) parts.push(this.not());
    return parts.length === 1 ? parts[0]! : { type: 'and', parts };
  }

  private not(): QueryNode {
    if (++this.depth > DEPTH_MAX) throw badQuery(`malformed query: nested more than ${DEPTH_MAX} deep`);
    try {
      if (this.takeKeyword('NOT')) return { type: 'not', part: this.not() };
      if (!this.takeSymbol('(')) return this.condition();
      const inner = this.or();
      if (!this.takeSymbol(')')) throw syntaxError(this.peek());
      return inner;
    } finally {
      this.depth--;
    }
  }

  private condition(): QueryNode {
    const token = this.peek();
    if (token.kind === 'string' || token.kind === 'number')
      throw badQuery('invalid expression: a condition begins with the name of a search attribute');
    const name = this.name();
    const negated = this.takeKeyword('NOT');
    if (this.takeKeyword('IN')) return { type: 'in', name, negated, values: this.list() };
    if (this.takeKeyword('BETWEEN')) return this.between(name, negated);
    if (this.takeKeyword('LIKE')) return { type: 'compare', name, operator: negated ? 'NOT LIKE' : 'LIKE', value: this.literal() };
    if (this.takeKeyword('STARTS_WITH'))
      return { type: 'compare', name, operator: negated ? 'NOT STARTS_WITH' : 'STARTS_WITH', value: this.literal() };
    if (negated) throw syntaxError(this.peek());
    if (this.takeKeyword('IS')) return this.isNull(name);
    const operator = SYMBOLS.get(this.peek().text);
    if (this.peek().kind !== 'symbol' || !operator) {
      if (this.peek().kind === 'end' || this.isAnyKeyword()) throw badQuery('invalid expression: incomplete expression');
      throw syntaxError(this.peek());
    }
    this.at++;
    return { type: 'compare', name, operator, value: this.literal() };
  }

  private isNull(name: string): QueryNode {
    const negated = this.takeKeyword('NOT');
    if (!this.takeKeyword('NULL')) throw syntaxError(this.peek());
    return { type: 'null', name, negated };
  }

  private between(name: string, negated: boolean): QueryNode {
    const low = this.literal();
    if (!this.takeKeyword('AND')) throw syntaxError(this.peek());
    return { type: 'between', name, negated, low, high: this.literal() };
  }

  private list(): Literal[] {
    if (!this.takeSymbol('(')) throw syntaxError(this.peek());
    const values = [this.literal()];
    while (this.takeSymbol(',')) values.push(this.literal());
    if (!this.takeSymbol(')')) throw syntaxError(this.peek());
    return values;
  }

  private literal(): Literal {
    const token = this.peek();
    if (token.kind === 'string' || token.kind === 'number') {
      this.at++;
      if (this.peek().text === '+' || this.peek().text === '*') throw badQuery('invalid expression: a value must be a literal');
      return { kind: token.kind, value: token.text };
    }
    if (token.kind !== 'name') throw syntaxError(token);
    const upper = token.text.toUpperCase();
    if (!token.quoted && (upper === 'TRUE' || upper === 'FALSE')) {
      this.at++;
      return { kind: 'bool', value: upper === 'TRUE' };
    }
    if (!token.quoted && upper === 'NULL') throw badQuery('invalid expression: a value cannot be NULL (use IS NULL)');
    if (this.tokens[this.at + 1]?.text === '(') throw badQuery('operation is not supported: nested func');
    throw badQuery(
      `operation is not supported: column name on the right side of comparison expression (did you forget to quote "${token.text}"?)`,
    );
  }

  private name(): string {
    const token = this.peek();
    if (token.kind !== 'name' || (!token.quoted && KEYWORDS.has(token.text.toUpperCase()))) throw syntaxError(token);
    this.at++;
    return token.text;
  }

  private peek(): Token {
    return this.tokens[this.at]!;
  }

  private isAnyKeyword(): boolean {
    const token = this.peek();
    return token.kind === 'name' && !token.quoted && KEYWORDS.has(token.text.toUpperCase());
  }

  private isKeyword(word: string): boolean {
    const token = this.peek();
    return token.kind === 'name' && !token.quoted && token.text.toUpperCase() === word;
  }

  private takeKeyword(word: string): boolean {
    if (!this.isKeyword(word)) return false;
    this.at++;
    return true;
  }

  private takeSymbol(symbol: string): boolean {
    const token = this.peek();
    if (token.kind !== 'symbol' || token.text !== symbol) return false;
    this.at++;
    return true;
  }
}
