/** What keeps a node upright when more comes than it can do: every call passes here before its use case begins. */
import type { Committer } from '../committer.js';
import type { Call, Gate, Turn } from '../call.js';
import type { RunCache } from '../run-cache.js';
import { Admission, overloaded, type PromisePoll } from './admission.js';
import { kindOf, type Line } from './call-kind.js';
import type { LoadLimits } from './load-limits.js';
import { StartGate } from './start-gate.js';
import { LoadClock, LoadMeter, type Sample } from './load-meter.js';
import { requestBytes } from './request-bytes.js';
import { WaitingCalls } from './waiting-calls.js';

export interface LoadOptions {
  readonly limits: LoadLimits;
  readonly now: () => number;
  readonly committer: Pick<Committer, 'oldestWaitMs'>;
  readonly cache: Pick<RunCache, 'shrink'>;
  /** Ready tasks that lie in memory for pollers to come. */
  readonly tasksReady: () => number;
  /** The key of a task queue for workflow tasks, if the namespace is known. */
  readonly firstTaskAt: (namespace: string, queue: string) => string | undefined;
  readonly promisePoll: PromisePoll;
}

export class Load {
  readonly admission: Admission;
  readonly waiting: WaitingCalls;
  readonly meter: LoadMeter;
  /** Where starts of workflows pass before they are decoded. */
  readonly startGate: Gate;
  private readonly clock: LoadClock;

  constructor(private readonly options: LoadOptions) {
    const { limits, now, committer, tasksReady, promisePoll } = options;
    this.admission = new Admission(limits, now, promisePoll);
    this.waiting = new WaitingCalls(limits.waitingMax, now);
    this.meter = new LoadMeter(limits);
    this.startGate = new StartGate(this.admission, options.firstTaskAt, () => this.clock.touch(false));
    this.clock = new LoadClock(
      () => ({ commitWaitMs: committer.oldestWaitMs, tasksReady: tasksReady() }),
      (sample) => this.look(sample),
    );
  }

  /** Does the work of a call when its turn has come. Throws RESOURCE_EXHAUSTED, with a hint when to come again, when it does not come. */
  async serve<Answer>(request: object, call: Call, work: (call: Call) => Promise<Answer>): Promise<Answer> {
    const kind = kindOf(call.method, request);
    this.clock.touch(kind.sheddable);
    const { line } = kind;
    const namespace = (request as { namespace?: string | null }).namespace ?? '';
    const bytes = kind.bytes + requestBytes(request);
    if (line) {
      const turn = call.hadItsTurn ? undefined : this.turnOf(line, namespace, bytes, call);
      if (turn) await turn;
      // while it waits for somebody else, others may work
      if (kind.waits) this.admission.leave(line, bytes);
    }
    if (kind.waits) {
      const waiting = this.waiting.add(call, namespace, kind.sheddable);
      try {
        return await work(waiting);
      } finally {
        this.waiting.remove(waiting);
      }
    }
    if (!line) return work(call);
    try {
      return await work(call);
    } finally {
      this.admission.leave(line, bytes);
    }
  }

  /** Undefined: it has come. */
  private turnOf(line: Line, namespace: string, bytes: number, call: Call): Promise<void> | undefined {
    let told: Turn;
    const turn = new Promise<void>((begin, refuse) => {
      told = { begin, refuse };
    });
    const ticket = this.admission.enter(line, { namespace }, bytes, told!);
    if (!ticket) return undefined;
    call.onCancelled(() => {
      ticket.withdraw();
      told.refuse(overloaded('The caller went away while its request waited.', 0)); // nobody reads it
    });
    return turn;
  }

  /** Acts on what was measured. */
  look(sample: Sample): void {
    const state = this.meter.take(sample);
    this.waiting.adjust(state);
    this.admission.adjust(state);
    this.admission.sweep();
    if (state.critical) this.options.cache.shrink();
  }

  stop(): void {
    this.clock.stop();
  }
}
