/** Page tokens of histories: where the next page begins. Opaque to callers, JSON inside. */
import { invalidArgument } from '../core/errors.js';

export interface PageToken {
  run: string;
  /** First event of the next page (backwards: the last one). */
  next: number;
  /** The history ends before this event, as it stood when the first page was read. */
  before: number;
  /** The rest of the history of a workflow task: unwritten events are appended at its end. */
  task?: boolean;
  /** A long poll that waits for events from `next` on. */
  poll?: boolean;
}

export const encodePageToken = (token: PageToken): Buffer => Buffer.from(JSON.stringify(token), 'utf8');

export function decodePageToken(bytes: Uint8Array): PageToken {
  try {
    const token = JSON.parse(Buffer.from(bytes).toString('utf8')) as PageToken;
    if (typeof token.run === 'string' && Number.isSafeInteger(token.next) && Number.isSafeInteger(token.before)) return token;
  } catch {
    // not one of ours
  }
  throw invalidArgument('Invalid NextPageToken.');
}
