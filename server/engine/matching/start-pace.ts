/**
 * How many of the polls that wait at a queue are not for runs that begin, while there is no time left. A worker has as many polls for first tasks as for
 * all others: if all of them were used, most later tasks would find none. So a share is held back that grows while later tasks miss their polls.
 */

const LOOK_MS = 100;
/** Of a hundred later tasks so many may miss. */
const MISSES_MAX = 0.03;
const MORE = 0.05;
const LESS = 0.02;
const SHARE_MAX = 0.9;
/** What is left of the most polls that waited at once after one look. */
const REMEMBERED = 0.99;

export class StartPace {
  private found = 0;
  private missed = 0;
  private share = 0;
  private most = 0;
  private lookedMs = 0;

  constructor(private readonly now: () => number) {}

  /** Polls that are held back. */
  get reserve(): number {
    return Math.floor(this.share * this.most);
  }

  waiting(polls: number): void {
    if (polls > this.most) this.most = polls;
  }

  /** A run went on, and its next task found a poll or not. */
  next(found: boolean): void {
    if (found) this.found++;
    else this.missed++;
    const nowMs = this.now();
    if (nowMs - this.lookedMs < LOOK_MS) return;
    this.lookedMs = nowMs;
    const tooMany = this.missed > MISSES_MAX * (this.found + this.missed);
    this.share = tooMany ? Math.min(SHARE_MAX, this.share + MORE) : Math.max(0, this.share - LESS);
    this.most *= REMEMBERED;
    this.found = 0;
    this.missed = 0;
  }
}
