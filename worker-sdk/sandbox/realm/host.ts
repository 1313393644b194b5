/** What the outside lends to the sandbox's realm: plain functions over primitives and bytes. Nothing of it may reach workflow code. */

/** A storage of the host's that follows asynchronous code. */
export interface HostStorage {
  run(store: unknown, fn: () => unknown): unknown;
  getStore(): unknown;
  enterWith(store: unknown): void;
  disable(): void;
}

/** The parts of a URL, or its href with one part changed. `undefined` when it is no URL. */
export interface UrlParts {
  href: string;
  origin: string;
  protocol: string;
  username: string;
  password: string;
  host: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  hash: string;
}

export interface RealmHost {
  newStorage(): HostStorage;
  bindContext(fn: () => unknown): () => unknown;
  /** Writes UTF-8 into `target`; returns how many code units were read and bytes written. */
  encodeInto(text: string, target: Uint8Array): { read: number; written: number };
  utf8Length(text: string): number;
  decode(bytes: ArrayBufferView | ArrayBuffer, encoding: string, fatal: boolean, ignoreBom: boolean): string;
  parseUrl(url: string, base: string | undefined): UrlParts | undefined;
  changeUrl(href: string, part: keyof UrlParts, value: string): UrlParts | undefined;
  toBase64(binary: string): string;
  fromBase64(text: string): string;
  /** Where a position in the bundle is in the user's source. */
  mapPosition(line: number, column: number): { source: string; line: number; column: number } | undefined;
  /** Name of the bundle in stack traces. */
  filename: string;
}
