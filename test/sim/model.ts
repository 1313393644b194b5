/** What one workflow id should look like after any operations: a few fields, no database, no time but that of timers. */

export type Answer = 'OK' | 'NOT_FOUND' | 'ALREADY_EXISTS' | 'INVALID_ARGUMENT';

export interface ModelTask {
  readonly token: number;
  /** A signal, a cancel request, an update or the end of something came since the worker has it. */
  news: boolean;
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
  /** A workflow task has been answered: there is a point to go back to. */
  answered = false;
  /** What a run that began from another's history has besides signals is not followed. */
  wasReset = false;

  constructor(
    readonly runId: string,
    readonly requestId: string,
  ) {}

  /** Something happened that the worker must hear of. */
  news(): void {
    if (this.task) this.task.news = true;
    else this.waiting = true;
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

  get open(): ModelRun | undefined {
    return this.newest?.open ? this.newest : undefined;
  }
}
