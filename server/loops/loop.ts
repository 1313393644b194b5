/** The shape of every background role: run once, sleep until there may be more, wake early when told. Errors are logged and tried again. */
import { ServiceError } from '../core/errors.js';
import type { EngineLog } from '../engine/engine.js';

export interface LoopOptions {
  readonly name: string;
  /** Does what there is to do; returns how long to sleep, in milliseconds (0 = there is more). */
  readonly runOnce: () => Promise<number>;
  readonly log: EngineLog;
  /** Sleep after an error. */
  readonly retryMs?: number;
}

export class Loop {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private again = false;
  private stopped = true;
  private dueMs = Number.POSITIVE_INFINITY;

  constructor(private readonly options: LoopOptions) {}

  start(): void {
    this.stopped = false;
    this.wake();
  }

  /** Runs now, or once more right after the present run. */
  wake(): void {
    if (this.stopped) return;
    if (this.running) {
      this.again = true;
      return;
    }
    clearTimeout(this.timer);
    this.dueMs = Number.POSITIVE_INFINITY;
    this.running = this.run();
  }

  /** Runs in at most that many milliseconds. */
  wakeIn(ms: number): void {
    const at = Date.now() + ms;
    if (this.stopped || at >= this.dueMs) return;
    if (ms <= 0) {
      this.wake();
      return;
    }
    this.dueMs = at;
    if (this.running) return; // honoured when the present run ends
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.wake(), Math.min(ms, 0x7fffffff));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async run(): Promise<void> {
    let sleepMs: number;
    try {
      sleepMs = await this.options.runOnce();
    } catch (error) {
      this.options.log.warn(whyOf(error), `${this.options.name} failed; it is tried again`);
      sleepMs = this.options.retryMs ?? 1_000;
    }
    this.running = undefined;
    if (this.stopped) return;
    if (this.again || sleepMs <= 0) {
      this.again = false;
      this.running = new Promise<void>((resolve) => setImmediate(resolve)).then(() => (this.stopped ? undefined : this.run()));
      return;
    }
    const asked = this.dueMs - Date.now();
    this.dueMs = Number.POSITIVE_INFINITY;
    this.wakeIn(Math.min(sleepMs, Math.max(asked, 0)));
    if (asked <= 0) this.wake();
  }
}

/** What the log says of an error: of one that is expected (the database does not answer) its text, of any other where it came from. */
function whyOf(error: unknown): object {
  if (!(error instanceof ServiceError)) return { err: error };
  const { message, cause } = error as { message: string; cause?: unknown };
  return { why: cause instanceof Error ? `${message} (${cause.message})` : message };
}
