/**
 * Large answers that a client has asked for and not read: they lie in this process's memory until it does. Each connection may have so many bytes of
 * them; what it reads beyond that is refused, to be asked for again. The stream of calls has a bound of its own.
 */
import type { ServerUnaryCall } from '@grpc/grpc-js';
import { enums } from '../../core/api.js';
import { resourceExhausted, type ServiceError } from '../../core/errors.js';
import { EncodedResponse } from '../../engine/call.js';

type GrpcCall = ServerUnaryCall<object, object>;

const LARGE_BYTES = 32 * 1024;
const RETRY_MS = 1_000;
/** What only reads can be asked for again. An answer to a poll has a task in it. */
const READS = /^(Get|List|Scan)/;

export class UnreadAnswers {
  private readonly byPeer = new Map<string, number>();

  constructor(private readonly bytesMax: number) {}

  /** Takes note of an answer that is about to be sent; the error to send instead when the connection has too much unread. */
  take(method: string, call: GrpcCall, response: object): ServiceError | undefined {
    const bytes = response instanceof EncodedResponse ? response.byteLength : 0;
    if (bytes < LARGE_BYTES) return undefined;
    const peer = call.getPeer();
    const unread = this.byPeer.get(peer) ?? 0;
    if (unread > this.bytesMax && READS.test(method)) {
      return resourceExhausted('This connection has too many answers that were not read; please retry later.', {
        cause: enums.ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT,
        scope: enums.ResourceExhaustedScope.RESOURCE_EXHAUSTED_SCOPE_SYSTEM,
        retryMs: RETRY_MS,
      });
    }
    this.byPeer.set(peer, unread + bytes);
    // what grpc-js calls so comes after a normal end as well, once all has been read
    call.once('cancelled', () => {
      const left = (this.byPeer.get(peer) ?? 0) - bytes;
      if (left > 0) this.byPeer.set(peer, left);
      else this.byPeer.delete(peer);
    });
    return undefined;
  }
}
