/**
 * Heartbeats of one activity on their way to the server: the first at once, then at most one in an interval, the latest
 * details winning. The answers say whether the activity is to stop.
 */
import { status } from '@grpc/grpc-js';
import type { temporal } from '../definitions/api.js';
import { isGrpcServiceError } from '../transport/grpc-error.js';
import type { CancelReason } from './activity-execution.js';

type HeartbeatResponse = temporal.api.workflowservice.v1.IRecordActivityTaskHeartbeatResponse;
type Payloads = temporal.api.common.v1.IPayloads;

export interface HeartbeatOptions {
  /** Milliseconds between two heartbeats. */
  throttleMs: number;
  /** Converts details. */
  encode(details: unknown): Promise<Payloads | undefined>;
  /** Sends one heartbeat, with retries; `signal` ends them when the activity is over. */
  send(details: Payloads | undefined, signal: AbortSignal): Promise<HeartbeatResponse>;
  /** Told at most once. */
  cancel(reason: CancelReason): void;
  /** Told when the details cannot be converted, which fails the activity. */
  conversionFailed(err: unknown): void;
  /** Told when a heartbeat could not be sent for a passing reason. */
  sendFailed(err: unknown): void;
}

/** The share of the heartbeat timeout after which another heartbeat is sent. */
const THROTTLE_SHARE = 0.8;

/** The interval for an activity: a share of its timeout, within the worker's bounds. */
export function throttleInterval(heartbeatTimeoutMs: number | undefined, defaultMs: number, maximumMs: number): number {
  return Math.min(heartbeatTimeoutMs ? heartbeatTimeoutMs * THROTTLE_SHARE : defaultMs, maximumMs);
}

/** The heartbeats of one activity. */
export class Heartbeats {
  /** Details that were not sent yet, in a box: undefined is a value too. */
  private pending: { details: unknown } | undefined;
  private timer: NodeJS.Timeout | undefined;
  private sending: Promise<void> | undefined;
  private ended = false;
  /** Ends the heartbeat that is being sent, if one is. */
  private sendingAbort: AbortController | undefined;
  /** Whether the activity ever sent one. */
  started = false;

  constructor(private readonly options: HeartbeatOptions) {}

  /** Takes a heartbeat from the activity. */
  record(details: unknown): void {
    if (this.ended) return;
    this.started = true;
    this.pending = { details };
    if (this.timer === undefined && this.sending === undefined) this.sendPending();
  }

  /**
   * Ends heartbeats. With `flush`, details that still wait are sent first, so that the next attempt sees them: the answer
   * resolves once they are. Undefined when there is nothing to wait for.
   */
  end(flush: boolean): Promise<void> | undefined {
    this.ended = true;
    clearTimeout(this.timer);
    if (flush && (this.sending || this.pending)) return this.flush();
    this.sendingAbort?.abort();
    return undefined;
  }

  private async flush(): Promise<void> {
    await this.sending;
    if (this.pending) await this.sendPending();
    this.sendingAbort?.abort();
  }

  private sendPending(): Promise<void> {
    const { details } = this.pending!;
    this.pending = undefined;
    this.sending = this.sendOne(details).finally(() => {
      this.sending = undefined;
      if (!this.ended) this.startTimer();
    });
    return this.sending;
  }

  private startTimer(): void {
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.pending) this.sendPending();
    }, this.options.throttleMs);
  }

  private async sendOne(details: unknown): Promise<void> {
    let payloads: Payloads | undefined;
    try {
      payloads = await this.options.encode(details);
    } catch (err) {
      this.options.conversionFailed(err);
      return;
    }
    this.sendingAbort = new AbortController();
    const { signal } = this.sendingAbort;
    try {
      const answer = await this.options.send(payloads, signal);
      if (answer.cancelRequested) this.options.cancel('CANCELLED');
      else if (answer.activityReset) this.options.cancel('RESET');
      else if (answer.activityPaused) this.options.cancel('PAUSED');
    } catch (err) {
      if (signal.aborted) return;
      if (isGrpcServiceError(err) && err.code === status.NOT_FOUND) this.options.cancel('NOT_FOUND');
      else this.options.sendFailed(err);
    } finally {
      this.sendingAbort = undefined;
    }
  }
}
