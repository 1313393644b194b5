/** Writes lines, and a sign of life below them: counting on a terminal, a line now and then elsewhere. */

const LOG_EVERY_MS = 15_000;
const COUNT_EVERY_MS = 500;

export class Screen {
  private readonly isTerminal = process.stdout.isTTY === true;
  private readonly timer: NodeJS.Timeout;
  private since = Date.now();
  private counting = false;
  private what: string | undefined;
  private inLog = true;

  constructor() {
    this.timer = setInterval(() => this.tick(), this.isTerminal ? COUNT_EVERY_MS : LOG_EVERY_MS);
  }

  line(text: string): void {
    this.clear();
    process.stdout.write(`${text}\n`);
    this.since = Date.now();
  }

  /** What goes on now; undefined: nothing that would need a sign of life. `inLog: false`: only a terminal shows it. */
  waiting(what: string | undefined, { inLog = true } = {}): void {
    if (what !== this.what) this.since = Date.now();
    this.what = what;
    this.inLog = inLog;
    if (what === undefined) this.clear();
  }

  end(): void {
    clearInterval(this.timer);
    this.clear();
  }

  private tick(): void {
    if (this.what === undefined) return;
    const text = `  ${this.what} … ${Math.round((Date.now() - this.since) / 1000)} s`;
    if (this.isTerminal) {
      process.stdout.write(`\r\x1b[K${text.slice(0, (process.stdout.columns || 80) - 1)}`);
      this.counting = true;
    } else if (this.inLog) {
      process.stdout.write(`${text}\n`);
    }
  }

  private clear(): void {
    if (this.counting) process.stdout.write('\r\x1b[K');
    this.counting = false;
  }
}
