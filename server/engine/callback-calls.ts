/** Calls of completion callbacks under way at this node: how many at a time, altogether and for one destination, and an end to them when the node stops. */
import type { CallbackRequest } from '../core/callback-request.js';
import type { CallbackResponse } from '../core/callback-response.js';

/** Makes one HTTP call and reads its answer. Throws when there was none. */
export type PostCallback = (request: CallbackRequest, signal: AbortSignal) => Promise<CallbackResponse>;

const CALLS_MAX = 100;
/** One destination that does not answer must not keep the others from being called. */
const CALLS_OF_ONE_MAX = 20;

export class CallbackCalls {
  private readonly underWay = new Map<string, number>();
  private readonly stopping = new AbortController();
  /** Calls now, made so far, and those of them that did not get through. */
  count = 0;
  made = 0;
  failed = 0;

  constructor(private readonly post: PostCallback) {}

  /** Whether another call to that destination may begin now. */
  hasRoom(destination: string): boolean {
    return !this.stopping.signal.aborted && this.count < CALLS_MAX && (this.underWay.get(destination) ?? 0) < CALLS_OF_ONE_MAX;
  }

  /** Undefined when there is no room for it, or the node stops meanwhile. */
  async call(request: CallbackRequest, timeoutMs: number): Promise<CallbackResponse | undefined> {
    const destination = new URL(request.url).origin;
    if (!this.hasRoom(destination)) return undefined;
    this.underWay.set(destination, (this.underWay.get(destination) ?? 0) + 1);
    this.count++;
    this.made++;
    try {
      return await this.post(request, AbortSignal.any([this.stopping.signal, AbortSignal.timeout(timeoutMs)]));
    } catch (error) {
      if (this.stopping.signal.aborted) return undefined;
      throw error;
    } finally {
      this.count--;
      const left = this.underWay.get(destination)! - 1;
      if (left > 0) this.underWay.set(destination, left);
      else this.underWay.delete(destination);
    }
  }

  /** Calls under way end; what they were for is called again by another node, or by this one when it is back. */
  stop(): void {
    this.stopping.abort();
  }
}
