/**
 * A set of long polls on one queue. As many are open as the work asks for: one that brings a task invites another, one
 * that comes back empty takes itself away.
 */
import { setMaxListeners } from 'node:events';
import { status } from '@grpc/grpc-js';
import type { Logger } from '../definitions/logger.js';
import { askedRetryMs, isGrpcServiceError } from '../transport/grpc-error.js';
import type { Slot, SlotInfo, Slots } from './slots.js';

/** How many polls are open. */
export interface PollerScale {
  minimum: number;
  initial: number;
  maximum: number;
  /** The maximum while polls share one stream, where another costs a few bytes and not a stream of its own. */
  streamed: number;
}

export interface PollerOptions<SI extends SlotInfo, Task> {
  /** For logs, for example `workflow (sticky)`. */
  name: string;
  slots: Slots<SI>;
  isSticky: boolean;
  scale: PollerScale;
  /** Whether calls share one stream at the moment. */
  sharesStream(): boolean;
  /** Makes one long poll; an answer without a task is undefined. */
  poll(signal: AbortSignal): Promise<Task | undefined>;
  /** Takes a task together with its slot, which it must release. Must not throw. */
  take(task: Task, slot: Slot<SI>): void;
  /** Waits until the rate limit allows another task. */
  throttle?(signal: AbortSignal): Promise<void>;
  logger: Logger;
}

const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5_000;
const RETRY_OVERLOADED_MS = 1_000;

/** Failures that no waiting will mend: the worker has to stop. */
const FATAL: ReadonlySet<status> = new Set([
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.PERMISSION_DENIED,
  status.UNAUTHENTICATED,
  status.UNIMPLEMENTED,
]);

/** Long polls on one queue, until {@link stop}. */
export class Poller<SI extends SlotInfo, Task> {
  /** Polls that wait for a task at the server. */
  outstanding = 0;
  private loops = 0;

  /** Polls that are open or wait for a slot. */
  get count(): number {
    return this.loops;
  }
  /** Whether the last poll failed: the first of many failures is logged. */
  private failing = false;
  private readonly stopping = new AbortController();
  private readonly polls = new AbortController();
  private readonly finished: Promise<void>;
  private finish!: () => void;
  private fail!: (err: unknown) => void;

  constructor(private readonly options: PollerOptions<SI, Task>) {
    this.finished = new Promise((resolve, reject) => {
      this.finish = resolve;
      this.fail = reject;
    });
    this.finished.catch(() => undefined);
    // Every poll listens to both.
    setMaxListeners(0, this.stopping.signal, this.polls.signal);
  }

  /** Polls until stopped. Rejects when the server refuses polls for good. */
  run(): Promise<void> {
    for (let i = 0; i < this.options.scale.initial; i++) this.spawn();
    return this.finished;
  }

  /** Starts no more polls; those under way may still bring a task, until {@link abandonPolls}. */
  stop(): void {
    this.stopping.abort();
    if (this.loops === 0) this.finish();
  }

  /** Cancels the polls under way. */
  abandonPolls(): void {
    this.stop();
    this.polls.abort();
  }

  private spawn(): void {
    const { scale, sharesStream } = this.options;
    if (this.stopping.signal.aborted || this.loops >= (sharesStream() ? scale.streamed : scale.maximum)) return;
    this.loops++;
    this.loop()
      .catch((err) => this.fail(err))
      .finally(() => {
        this.loops--;
        if (this.loops === 0 && this.stopping.signal.aborted) this.finish();
      });
  }

  private async loop(): Promise<void> {
    const { slots, isSticky, scale, throttle } = this.options;
    const { signal } = this.stopping;
    const backoff = { failures: 0 };
    while (!signal.aborted) {
      const slot = await slots.reserve(isSticky, signal);
      if (!slot) return;
      await throttle?.(signal);
      if (signal.aborted) return slot.release();
      const task = await this.pollOnce(slot, backoff);
      if (task === undefined) {
        slot.release();
        if (this.loops > scale.minimum) return;
        continue;
      }
      this.spawn();
      this.options.take(task, slot);
    }
  }

  private async pollOnce(slot: Slot<SI>, backoff: { failures: number }): Promise<Task | undefined> {
    this.outstanding++;
    try {
      const task = await this.options.poll(this.polls.signal);
      backoff.failures = 0;
      this.failing = false;
      return task;
    } catch (err) {
      if (this.polls.signal.aborted) return undefined;
      if (isGrpcServiceError(err) && FATAL.has(err.code)) {
        slot.release();
        throw err;
      }
      // A long poll that nobody answered in its time is as good as an empty one.
      if (isGrpcServiceError(err) && err.code === status.DEADLINE_EXCEEDED) return undefined;
      await this.backOff(err, backoff.failures++);
      return undefined;
    } finally {
      this.outstanding--;
    }
  }

  private async backOff(err: unknown, failures: number): Promise<void> {
    const { logger, name } = this.options;
    const overloaded = isGrpcServiceError(err) && err.code === status.RESOURCE_EXHAUSTED;
    const askedMs = isGrpcServiceError(err) ? (askedRetryMs(err) ?? 0) : 0;
    const ms = Math.max(askedMs, Math.min(RETRY_MAX_MS, (overloaded ? RETRY_OVERLOADED_MS : RETRY_MIN_MS) * 1.7 ** failures));
    if (!this.failing) logger.warn(`Polling for ${name} tasks failed, trying again`, { error: err });
    this.failing = true;
    await wait(ms * (0.8 + 0.4 * Math.random()), this.stopping.signal);
  }
}

/** Waits, or until the signal aborts. */
export function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}
