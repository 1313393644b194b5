/**
 * Group commit: transitions that come while a commit is under way wait for it and go together in the next one, in one round trip.
 * An idle committer commits at the end of this turn of the event loop, so that what came in one message goes into one group. A group that
 * fails as a whole is tried one by one, so that a bad item hurts only itself.
 */
import { Commits } from '../storage/commit.js';
import type { CommitItem, CommitResult, RunWrite } from '../storage/commit-item.js';
import { DatabaseLost, sqlState } from '../storage/database.js';
import { crashPoint } from '../crash-points.js';

interface Waiting {
  sinceMs: number;
  item: CommitItem;
  resolve: (result: CommitResult) => void;
  reject: (error: unknown) => void;
}

export interface CommitterOptions {
  /** Items in one statement at most. */
  readonly groupMax: number;
  /** Commits under way at once. */
  readonly lanes: number;
  readonly now: () => number;
  /** Follows every commit, for whoever must know what is under way. */
  readonly watch?: (item: CommitItem, committed: Promise<CommitResult>) => Promise<CommitResult>;
}

/** Two items that contradict each other, a unique index that fired: the group is undone, and its items are tried alone. */
const UNIQUE_VIOLATION = '23505';
const DIVISION_BY_ZERO = '22012';
const DEADLOCK = '40P01';
const SERIALIZATION = '40001';

const endsHere = ({ closedBefore, state }: RunWrite): boolean => !closedBefore && state.closeMs > 0;

export class Committer {
  private waiting: Waiting[] = [];
  private busy = 0;
  private flushing = false;
  /** Groups and items committed, for metrics. */
  groups = 0;
  items = 0;
  conflicts = 0;
  /** Runs that ended with them. */
  ended = 0;

  constructor(
    private readonly commits: Commits,
    private readonly options: CommitterOptions,
  ) {}

  get queued(): number {
    return this.waiting.length;
  }

  /** How long the item that has waited longest for its group has waited. */
  get oldestWaitMs(): number {
    const oldest = this.waiting[0];
    return oldest ? this.options.now() - oldest.sinceMs : 0;
  }

  commit(item: CommitItem): Promise<CommitResult> {
    const committed = new Promise<CommitResult>((resolve, reject) => {
      this.waiting.push({ sinceMs: this.options.now(), item, resolve, reject });
      if (this.busy < this.options.lanes) this.flushSoon();
    });
    return this.options.watch ? this.options.watch(item, committed) : committed;
  }

  private flushSoon(): void {
    if (this.flushing) return;
    this.flushing = true;
    setImmediate(() => {
      this.flushing = false;
      if (this.busy < this.options.lanes) this.flush();
    });
  }

  private flush(): void {
    const group = this.waiting.splice(0, this.options.groupMax);
    if (group.length === 0) return;
    this.busy++;
    Promise.all(Commits.apart(group).map((part) => this.write(part))).finally(() => {
      this.busy--;
      if (this.waiting.length > 0) this.flush();
    });
  }

  private async write(group: Waiting[]): Promise<void> {
    try {
      crashPoint('before-commit');
      const writing = this.commits.write(
        group.map((w) => w.item),
        this.options.now(),
      );
      if (group.length > 1) crashPoint('in-group-commit');
      const results = await writing;
      crashPoint('after-commit');
      this.groups++;
      this.items += group.length;
      group.forEach((w, i) => {
        if (results[i] === 'conflict') this.conflicts++;
        else if (results[i] === 'done') this.ended += w.item.runs.filter(endsHere).length;
        w.resolve(results[i]!);
      });
    } catch (error) {
      if (error instanceof DatabaseLost) {
        for (const w of group) w.reject(error);
      } else if (group.length > 1) {
        for (const w of group) await this.write([w]);
      } else {
        const lostRace = [UNIQUE_VIOLATION, DIVISION_BY_ZERO, DEADLOCK, SERIALIZATION].includes(sqlState(error));
        if (lostRace) group[0]!.resolve('conflict');
        else group[0]!.reject(error);
      }
    }
  }
}
