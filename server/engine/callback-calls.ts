/** Calls of completion callbacks under way at this node: how many at a time, altogether and for one destination, and an end to them when the node stops. */
import type { CallbackRequest } from '../core/callback-request.js';
import type { CallbackResponse } from '../core/callback-response.js';

/** Makes one HTTP call and reads its answer. Throws when there was none. */
export type PostCallback = (request: CallbackRequest, signal: AbortSignal) => Promise<CallbackResponse>;

const CALLS_MAX = 100;
/** One destination that does not answer must not keep the others from being called. */
const CALLS_OF_ONE_MAX = 20;

export class CallbackCalls {
  private readonly under = new Map<string, number>();
  private count = 0;
  private readonly stopping = new AbortController();

  constructor(private readonly post: PostCallback) {}

  /** Undefined when there is no room for another call to that destination now, or the node stops. */
  async call(request: CallbackRequest, timeoutMs: number): Promise<CallbackResponse | undefined> {
    const destination = new URL(request.url).origin;
    const there = this.under.get(destination) ?? 0;
    if (this.stopping.signal.aborted || this.count >= CALLS_MAX || there >= CALLS_OF_ONE_MAX) return undefined;
    this.under.set(destination, there + 1);
    this.count++;
    try {
      return await this.post(request, AbortSignal.any([this.stopping.signal, AbortSignal.timeout(timeoutMs)]));
    } catch (error) {
      if (this.stopping.signal.aborted) return undefined;
      throw error;
    } finally {
      this.count--;
      const left = this.under.get(destination)! - 1;
      if (left > 0) this.under.set(destination, left);
      else this.under.delete(destination);
    }
  }

  /** Calls under way end; what they were for is called again by another node, or by this one when it is back. */
  stop(): void {
    this.stopping.abort();
  }
}
