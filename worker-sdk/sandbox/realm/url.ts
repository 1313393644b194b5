/** URL and URLSearchParams: the parsing is the host's, the objects are of this realm. */
import type { UrlParts } from './host.js';
import { define, state } from './state.js';
import { rename } from './text.js';

const encodePart = (text: string): string =>
  encodeURIComponent(text)
    .replace(/%20/g, '+')
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

function decodePart(text: string): string {
  const spaced = text.replace(/\+/g, ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

type Init = string | Iterable<readonly [string, string]> | Record<string, string> | undefined;

class WorkflowURLSearchParams {
  #pairs: [string, string][] = [];
  #changed: ((search: string) => void) | undefined;

  constructor(init?: Init) {
    if (typeof init === 'string') this.#pairs = parseQuery(init);
    else if (init && Symbol.iterator in Object(init)) for (const [name, value] of init as Iterable<[string, string]>) this.append(name, value);
    else if (init) for (const [name, value] of Object.entries(init as Record<string, string>)) this.append(name, value);
  }

  /** Parameters that are a URL's: a change of them changes the URL. */
  static of(search: string, changed: (search: string) => void): WorkflowURLSearchParams {
    const params = new WorkflowURLSearchParams(search);
    params.#changed = changed;
    return params;
  }

  replace(search: string): void {
    this.#pairs = parseQuery(search);
  }

  get size(): number {
    return this.#pairs.length;
  }

  append(name: string, value: string): void {
    this.#pairs.push([String(name), String(value)]);
    this.#changed?.(this.toString());
  }

  delete(name: string, value?: string): void {
    this.#pairs = this.#pairs.filter(([key, held]) => key !== String(name) || (value !== undefined && held !== String(value)));
    this.#changed?.(this.toString());
  }

  get(name: string): string | null {
    return this.#pairs.find(([key]) => key === String(name))?.[1] ?? null;
  }

  getAll(name: string): string[] {
    return this.#pairs.filter(([key]) => key === String(name)).map(([, value]) => value);
  }

  has(name: string, value?: string): boolean {
    return this.#pairs.some(([key, held]) => key === String(name) && (value === undefined || held === String(value)));
  }

  set(name: string, value: string): void {
    const key = String(name);
    const first = this.#pairs.findIndex(([held]) => held === key);
    if (first < 0) this.#pairs.push([key, String(value)]);
    else this.#pairs = this.#pairs.filter(([held], i) => held !== key || i === first).map((pair) => (pair[0] === key ? [key, String(value)] : pair));
    this.#changed?.(this.toString());
  }

  sort(): void {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#changed?.(this.toString());
  }

  forEach(callback: (value: string, name: string, params: WorkflowURLSearchParams) => void, thisArg?: unknown): void {
    for (const [name, value] of this.#pairs) callback.call(thisArg, value, name, this);
  }

  *entries(): Generator<[string, string]> {
    for (const [name, value] of this.#pairs) yield [name, value];
  }

  *keys(): Generator<string> {
    for (const [name] of this.#pairs) yield name;
  }

  *values(): Generator<string> {
    for (const [, value] of this.#pairs) yield value;
  }

  [Symbol.iterator](): Generator<[string, string]> {
    return this.entries();
  }

  toString(): string {
    return this.#pairs.map(([name, value]) => `${encodePart(name)}=${encodePart(value)}`).join('&');
  }

  get [Symbol.toStringTag](): string {
    return 'URLSearchParams';
  }
}

function parseQuery(text: string): [string, string][] {
  const query = text.startsWith('?') ? text.slice(1) : text;
  return query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const at = part.indexOf('=');
      return at < 0 ? [decodePart(part), ''] : [decodePart(part.slice(0, at)), decodePart(part.slice(at + 1))];
    });
}

const READ_WRITE = ['protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'] as const;

class WorkflowURL {
  #parts: UrlParts;
  readonly searchParams: WorkflowURLSearchParams;

  constructor(url: unknown, base?: unknown) {
    const parts = state.host.parseUrl(String(url), base === undefined ? undefined : String(base));
    if (!parts) throw Object.assign(new TypeError(`Invalid URL: ${String(url)}`), { code: 'ERR_INVALID_URL', input: String(url) });
    this.#parts = parts;
    this.searchParams = WorkflowURLSearchParams.of(parts.search, (search) => this.change('search', search, false));
  }

  static canParse(url: unknown, base?: unknown): boolean {
    return state.host.parseUrl(String(url), base === undefined ? undefined : String(base)) !== undefined;
  }

  static parse(url: unknown, base?: unknown): WorkflowURL | null {
    return WorkflowURL.canParse(url, base) ? new WorkflowURL(url, base) : null;
  }

  part(name: keyof UrlParts): string {
    return this.#parts[name];
  }

  change(part: keyof UrlParts, value: unknown, updatesParams = true): void {
    const parts = state.host.changeUrl(this.#parts.href, part, String(value));
    if (!parts) throw new TypeError(`Invalid URL: ${String(value)}`);
    this.#parts = parts;
    if (updatesParams) this.searchParams.replace(parts.search);
  }

  get href(): string {
    return this.#parts.href;
  }

  set href(value: string) {
    this.change('href', value);
  }

  get origin(): string {
    return this.#parts.origin;
  }

  toString(): string {
    return this.#parts.href;
  }

  toJSON(): string {
    return this.#parts.href;
  }

  get [Symbol.toStringTag](): string {
    return 'URL';
  }
}

export function installUrl(): void {
  for (const part of READ_WRITE) {
    Object.defineProperty(WorkflowURL.prototype, part, {
      configurable: true,
      enumerable: true,
      get(this: WorkflowURL) {
        return this.part(part);
      },
      set(this: WorkflowURL, value: unknown) {
        this.change(part, value);
      },
    });
  }
  define('URL', rename(WorkflowURL, 'URL'));
  define('URLSearchParams', rename(WorkflowURLSearchParams, 'URLSearchParams'));
}
