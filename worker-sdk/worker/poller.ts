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
  /** Whether the number follows the server's hints, where it gives them. */
  autoscaling?: boolean;
}

/** What polls are answered with. */
export interface PolledTask {
  taskToken?: Uint8Array | null;
  /** How many polls more, or less, the server thinks would do well. */
  pollerScalingDecision?: { pollRequestDeltaSuggestion?: number | null } | null;
}

export interface PollerOptions<SI extends SlotInfo, Task extends PolledTask> {
  /** For logs, for example `workflow (sticky)`. */
  name: string;
  slots: Slots<SI>;
  isSticky: boolean;
  scale: PollerScale;
  /** Whether calls share one stream at the moment. */
  sharesStream(): boolean;
  /** Makes one long poll. One that ended without a task is answered with an empty message, which has no token. */
  poll(signal: AbortSignal): Promise<Task>;
  /** Told what each poll that was answered brought. */
  polled?(task: Task | undefined): void;
  /** Whether the server gives hints: then no hint means that the number is right. */
  givesHints?(): boolean;
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

/** How often a loop's polls have failed in a row. */
interface Backoff {
  failures: number;
}

/** Long polls on one queue, until {@link stop}. */
export class Poller<SI extends SlotInfo, Task extends PolledTask> {
  /** Polls that wait for a task at the server. */
  outstanding = 0;
  /** When the last task came, milliseconds since 1970. */
  lastTaskMs: number | undefined;
  /** The poller of another queue that draws on the same slots: neither takes the last one while the other has no poll at all. */
  partner: Poller<SI, Task> | undefined;
  private loops = 0;
  private waitingForSlot = 0;
  /** Loops of the partner that left a slot to this poller. */
  private readonly served: (() => void)[] = [];

  /** Polls that are open or wait for a slot. */
  get count(): number {
    return this.loops;
  }

  get isAutoscaling(): boolean {
    return this.options.scale.autoscaling ?? false;
  }

  /** Whether the last poll failed: the first of many failures is logged. */
  private failing = false;
  private readonly stopping = new AbortController();
  private readonly polls = new AbortController();
  // The controllers' getters cost as much as what is done with their signals.
  private readonly stopSignal = this.stopping.signal;
  private readonly pollSignal = this.polls.signal;
  private readonly finished: Promise<void>;
  private finish!: () => void;
  private fail!: (err: unknown) => void;

  constructor(private readonly options: PollerOptions<SI, Task>) {
    this.finished = new Promise((resolve, reject) => {
      this.finish = resolve;
      this.fail = reject;
    });
    this.finished.catch(() => undefined);
    // Every loop may listen to both.
    setMaxListeners(0, this.stopSignal, this.pollSignal);
  }

  /** Polls until stopped. Rejects when the server refuses polls for good. */
  run(): Promise<void> {
    for (let i = 0; i < this.options.scale.initial; i++) this.spawn();
    return this.finished;
  }

  /** Starts no more polls; those under way may still bring a task, until {@link abandonPolls}. */
  stop(): void {
    this.stopping.abort();
    this.tellServed();
    if (this.loops === 0) this.finish();
  }

  /** Cancels the polls under way. */
  abandonPolls(): void {
    this.stop();
    this.polls.abort();
  }

  private spawn(): void {
    const { scale, sharesStream } = this.options;
    if (this.stopSignal.aborted || this.loops >= (sharesStream() ? scale.streamed : scale.maximum)) return;
    this.loops++;
    this.next({ failures: 0 });
  }

  /** The next round of a loop: a slot, a poll, a task. Callbacks, because async functions would cost more than all of this. */
  private next(backoff: Backoff): void {
    try {
      const reserved = this.options.slots.reserve(this.options.isSticky, this.stopSignal);
      if (reserved instanceof Promise) this.waitForSlot(reserved, backoff);
      else this.withSlot(reserved, backoff);
    } catch (err) {
      this.giveUp(err);
    }
  }

  private waitForSlot(reserved: Promise<Slot<SI> | undefined>, backoff: Backoff): void {
    this.waitingForSlot++;
    reserved
      .finally(() => {
        this.waitingForSlot--;
      })
      .then((slot) => this.withSlot(slot, backoff), this.giveUp);
  }

  private withSlot(slot: Slot<SI> | undefined, backoff: Backoff): void {
    const { throttle } = this.options;
    if (!slot) this.leave();
    else if (this.outstanding > 0 && this.partner?.isStarving) {
      this.partner.served.push(() => this.next(backoff));
      slot.release();
    } else if (!throttle) this.poll(slot, backoff);
    else throttle(this.stopSignal).then(() => this.poll(slot, backoff), this.giveUp);
  }

  /** Wants to poll, has no poll open, and no slot for one. */
  private get isStarving(): boolean {
    return this.outstanding === 0 && this.waitingForSlot > 0 && !this.stopSignal.aborted;
  }

  private tellServed(): void {
    for (const goOn of this.served.splice(0)) goOn();
  }

  private poll(slot: Slot<SI>, backoff: Backoff): void {
    if (this.stopSignal.aborted) {
      slot.release();
      this.leave();
      return;
    }
    this.outstanding++;
    if (this.served.length > 0) this.tellServed();
    this.options.poll(this.pollSignal).then(
      (answer) => {
        this.outstanding--;
        backoff.failures = 0;
        this.failing = false;
        this.answered(answer, slot, backoff);
      },
      (err) => {
        this.outstanding--;
        this.failed(err, slot, backoff);
      },
    );
  }

  private answered(answer: Task, slot: Slot<SI>, backoff: Backoff): void {
    const task = answer.taskToken?.length ? answer : undefined;
    this.options.polled?.(task);
    if (!task) {
      this.emptyHanded(slot, backoff);
      return;
    }
    const more = this.pollsToAdd(task);
    for (let i = 0; i < more; i++) this.spawn();
    this.options.take(task, slot);
    if (more < 0 && this.loops > this.options.scale.minimum) this.leave();
    else this.next(backoff);
  }

  /** A task invites another poll, unless the server says how many there should be. */
  private pollsToAdd(task: Task): number {
    this.lastTaskMs = Date.now();
    return this.isAutoscaling && this.options.givesHints?.() ? (task.pollerScalingDecision?.pollRequestDeltaSuggestion ?? 0) : 1;
  }

  private failed(err: unknown, slot: Slot<SI>, backoff: Backoff): void {
    const code = isGrpcServiceError(err) ? err.code : undefined;
    // A long poll that nobody answered in its time is as good as an empty one.
    if (this.pollSignal.aborted || code === status.DEADLINE_EXCEEDED) this.emptyHanded(slot, backoff);
    else if (code !== undefined && FATAL.has(code)) {
      slot.release();
      this.giveUp(err);
    } else this.backOff(err, backoff.failures++).then(() => this.emptyHanded(slot, backoff), this.giveUp);
  }

  private emptyHanded(slot: Slot<SI>, backoff: Backoff): void {
    slot.release();
    if (this.loops > this.options.scale.minimum) this.leave();
    else this.next(backoff);
  }

  private leave(): void {
    this.loops--;
    if (this.loops === 0 && this.stopSignal.aborted) this.finish();
  }

  private readonly giveUp = (err: unknown): void => {
    this.fail(err);
    this.leave();
  };

  private async backOff(err: unknown, failures: number): Promise<void> {
    const { logger, name } = this.options;
    const overloaded = isGrpcServiceError(err) && err.code === status.RESOURCE_EXHAUSTED;
    const askedMs = isGrpcServiceError(err) ? (askedRetryMs(err) ?? 0) : 0;
    const ms = Math.max(askedMs, Math.min(RETRY_MAX_MS, (overloaded ? RETRY_OVERLOADED_MS : RETRY_MIN_MS) * 1.7 ** failures));
    if (!this.failing) logger.warn(`Polling for ${name} tasks failed, trying again`, { error: isGrpcServiceError(err) ? err.message : err });
    this.failing = true;
    await wait(ms * (0.8 + 0.4 * Math.random()), this.stopSignal);
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
