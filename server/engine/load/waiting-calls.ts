/**
 * Calls that wait for somebody else: for a task, an event, a worker's answer. Each costs memory for as long as it waits, so their number is
 * bounded. Beyond it, the poll that has waited longest in the namespace that has most is answered early, as at the end of its time.
 */
import { enums } from '../../core/api.js';
import { resourceExhausted } from '../../core/errors.js';
import type { Call } from '../call.js';

/** A poll that came a moment ago is not sent away: its caller would come again at once. */
export const SHED_AFTER_MS = 1_000;
const RETRY_MS = 1_000;

/** A waiting call, as its use case sees it: one that is shed looks as if its caller had gone, and answers with what there is. */
export class WaitingCall implements Call {
  private shed = false;
  private readonly listeners: (() => void)[] = [];

  constructor(
    private readonly inner: Call,
    readonly namespace: string,
    readonly sinceMs: number,
    readonly sheddable: boolean,
  ) {}

  get method(): string {
    return this.inner.method;
  }
  get deadline(): number {
    return this.inner.deadline;
  }
  get clientName(): string {
    return this.inner.clientName;
  }
  get clientVersion(): string {
    return this.inner.clientVersion;
  }
  get cancelled(): boolean {
    return this.shed || this.inner.cancelled;
  }

  onCancelled(listener: () => void): void {
    this.inner.onCancelled(listener);
    if (this.shed) listener();
    else if (this.sheddable) this.listeners.push(listener);
  }

  answerEarly(): void {
    this.shed = true;
    for (const listener of this.listeners.splice(0)) listener();
  }
}

export class WaitingCalls {
  private readonly byNamespace = new Map<string, Set<WaitingCall>>();
  private count = 0;
  private max: number;
  /** Answered early, and refused, so far. */
  shed = 0;
  refused = 0;

  constructor(
    private readonly limit: number,
    private readonly now: () => number,
  ) {
    this.max = limit;
  }

  get size(): number {
    return this.count;
  }

  add(call: Call, namespace: string, sheddable: boolean): WaitingCall {
    if (this.count >= this.max) this.makeRoom(namespace);
    const waiting = new WaitingCall(call, namespace, this.now(), sheddable);
    const calls = this.byNamespace.get(namespace) ?? new Set();
    this.byNamespace.set(namespace, calls.add(waiting));
    this.count++;
    return waiting;
  }

  remove(waiting: WaitingCall): void {
    const calls = this.byNamespace.get(waiting.namespace);
    if (!calls?.delete(waiting)) return;
    this.count--;
    if (calls.size === 0) this.byNamespace.delete(waiting.namespace);
  }

  /** While memory is short, a quarter of those that wait go each time; when it is not, as many may wait as ever. */
  adjust({ critical }: { critical: boolean }): void {
    if (!critical) {
      this.max = this.limit;
      return;
    }
    this.max = Math.floor(this.count * 0.75);
    for (let shed = true; shed && this.count > this.max; ) shed = this.shedOne();
  }

  private makeRoom(namespace: string): void {
    if (this.shedOne()) return;
    const [, calls] = this.largest() ?? [];
    if (calls && calls.size > (this.byNamespace.get(namespace)?.size ?? 0) + 1 && this.count < 2 * this.limit) return; // its share is small: the others' turn to give way comes
    this.refused++;
    throw resourceExhausted('Too many calls wait for a task or an event; please retry later.', {
      cause: enums.ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT,
      scope: enums.ResourceExhaustedScope.RESOURCE_EXHAUSTED_SCOPE_NAMESPACE,
      retryMs: RETRY_MS,
    });
  }

  /** Answers the poll that has waited longest in the namespace that has most; false when there is none that may be sent away. */
  private shedOne(): boolean {
    const beforeMs = this.now() - SHED_AFTER_MS;
    for (const waiting of this.largest()?.[1] ?? []) {
      if (waiting.sinceMs > beforeMs) return false;
      if (!waiting.sheddable) continue;
      this.remove(waiting);
      this.shed++;
      waiting.answerEarly();
      return true;
    }
    return false;
  }

  private largest(): [string, Set<WaitingCall>] | undefined {
    let largest: [string, Set<WaitingCall>] | undefined;
    for (const entry of this.byNamespace) if (!largest || entry[1].size > largest[1].size) largest = entry;
    return largest;
  }
}
