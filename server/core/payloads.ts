/** Payloads that the server itself writes. */
import type { Payloads } from './api.js';

const JSON_PLAIN = new TextEncoder().encode('json/plain');

/** One JSON string, as a client encodes it. */
export const textPayloads = (text: string): Payloads => ({
  payloads: [{ metadata: { encoding: JSON_PLAIN }, data: new TextEncoder().encode(JSON.stringify(text)) }],
});
