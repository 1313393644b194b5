/** What one workflow id should look like after any operations: a few fields, no database, no time but that of timers. */

export type Answer = 'OK' | 'NOT_FOUND' | 'FAILED_PRECONDITION' | 'RESOURCE_EXHAUSTED' | 'ALREADY_EXISTS' | 'INVALID_ARGUMENT';

export interface ModelTask {
  readonly token: number;
  /** A signal, a cancel request or the end of something came since the worker has it: the run may not end before it has seen that. */
  news: boolean;
  /** An update came: that keeps no run from ending, and another task brings it if the run goes on. */
  updated: boolean;
}

export interface ModelActivity {
  readonly id: string;
  /** `waits`: in the queue; `started`: a worker has it. */
  stage: 'waits' | 'started' | 'over';
}

export class ModelRun {
  open = true;
  ended = '';
  readonly signals: string[] = [];
  readonly requests = new Set<string>();
  cancelRequested = false;
  readonly activities: ModelActivity[] = [];
  readonly timers: { readonly id: string; dueMs: number; fired: boolean }[] = [];
  /** Updates by id, and whether the worker has answered them. */
  readonly updates = new Map<string, boolean>();
  /** A workflow task waits for a worker. */
  waiting = true;
  task: ModelTask | undefined;
  failures = 0;
  /** Nobody is asked anything until it goes on. */
  paused = false;
  /** The last task would have ended the run, had there been no news. */
  closing = false;
  /** A workflow task has been answered: there is a point to go back to. */
  answered = false;
  /** What a run that began from another's history has besides signals is not followed. */
  wasReset = false;

  constructor(
    readonly runId: string,
    readonly requestId: string,
  ) {}

  /** The worker most likely ends the run now: signals and updates have to wait. */
  get refuses(): boolean {
    return this.closing && this.task !== undefined;
  }

  /** An update waits for the worker to hear of it. */
  updated(): void {
    if (this.task) this.task.updated = true;
    else this.waiting = !this.paused;
  }

  /** Something happened that the worker must hear of. */
  news(): void {
    if (this.task) this.task.news = true;
    else this.waiting = !this.paused;
  }

  /** What a worker has in hand it may finish; a task that waits is taken back. */
  pause(): void {
    if (!this.task) this.closing = false;
    this.news();
    this.paused = true;
    this.waiting = false;
  }

  unpause(): void {
    this.paused = false;
    this.news();
  }

  end(how: string): void {
    this.open = false;
    this.ended = how;
    this.task = undefined;
    this.waiting = false;
  }
}

export class Model {
  readonly runs: ModelRun[] = [];

  get newest(): ModelRun | undefined {
    return this.runs.at(-1);
  }

  /** The run that a start's request began: the newest, or one of the few before it. */
  begunBy(requestId: string): ModelRun | undefined {
    return this.runs.slice(-6).findLast((run) => run.requestId === requestId);
  }

  /** Whether one of the latest runs has taken a signal's request. */
  taken(requestId: string): boolean {
    return this.runs.slice(-10).some((run) => run.requests.has(requestId));
  }

  get open(): ModelRun | undefined {
    return this.newest?.open ? this.newest : undefined;
  }
}
