/** Payloads on the command line: JSON texts in, readable texts out. */
import { UserError } from '../errors.js';

interface Payload {
  readonly metadata?: Readonly<Record<string, Uint8Array>> | null;
  readonly data?: Uint8Array | null;
}

interface Payloads {
  readonly payloads?: readonly Payload[] | null;
}

const utf8 = new TextDecoder();

/** JSON texts, one an argument, as the API's Payloads. */
export const payloadsOf = (inputs: readonly string[] | undefined): { payloads: Payload[] } | undefined => {
  if (inputs === undefined) return undefined;
  return {
    payloads: inputs.map((text) => {
      try {
        JSON.parse(text);
      } catch {
        throw new UserError(`--input: expected JSON, got ${text} (a text needs its quotes: --input '"text"')`, 2);
      }
      return { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(text) };
    }),
  };
};

/** One payload as text: JSON as it is, nothing as `null`, anything else by its encoding and size. */
export const payloadText = (payload: Payload): string => {
  const encoding = utf8.decode(payload.metadata?.['encoding'] ?? new Uint8Array());
  const data = payload.data ?? new Uint8Array();
  if (encoding === 'binary/null') return 'null';
  if (encoding.startsWith('json/')) return utf8.decode(data);
  return `<${encoding || 'no encoding'}, ${data.length} bytes>`;
};

/** All payloads in one line; empty when there are none. */
export const payloadsText = (payloads: Payloads | null | undefined): string => (payloads?.payloads ?? []).map(payloadText).join(', ');
