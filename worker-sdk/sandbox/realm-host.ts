/** The host's side of the realm: codecs, URLs, storages, source positions. */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import type { RealmHost, UrlParts } from './realm/host.js';
import type { SourcePositions } from './source-positions.js';

const PARTS = ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'] as const;
const encoder = new TextEncoder();

function partsOf(url: URL): UrlParts {
  return Object.fromEntries(PARTS.map((part) => [part, url[part]])) as unknown as UrlParts;
}

export function realmHost(filename: string, positions: SourcePositions): RealmHost {
  return {
    filename,
    newStorage: () => {
      const storage = new AsyncLocalStorage<unknown>();
      return {
        run: (store, fn) => storage.run(store, fn),
        getStore: () => storage.getStore(),
        enterWith: (store) => storage.enterWith(store),
        disable: () => storage.disable(),
      };
    },
    bindContext: (fn) => AsyncResource.bind(fn),
    encodeInto: (text, target) => encoder.encodeInto(text, target) as { read: number; written: number },
    utf8Length: (text) => Buffer.byteLength(text, 'utf8'),
    decode: (bytes, encoding, fatal, ignoreBOM) => {
      // The common case, and much the fastest way for it.
      if (encoding === 'utf-8' && !fatal && Buffer.isBuffer(bytes) && bytes[0] !== 0xef) return bytes.toString('utf8');
      return new TextDecoder(encoding, { fatal, ignoreBOM }).decode(bytes as ArrayBuffer);
    },
    parseUrl: (url, base) => {
      try {
        return partsOf(new URL(url, base));
      } catch {
        return undefined;
      }
    },
    changeUrl: (href, part, value) => {
      try {
        if (part === 'href') return partsOf(new URL(value));
        const url = new URL(href);
        if (part !== 'origin') url[part] = value;
        return partsOf(url);
      } catch {
        return undefined;
      }
    },
    toBase64: (binary) => Buffer.from(binary, 'latin1').toString('base64'),
    fromBase64: (text) => Buffer.from(text, 'base64').toString('latin1'),
    mapPosition: (line, column) => positions.find(line, column),
  };
}
