/** A task's history, page by page: what came with the task, what has to be fetched, and in which order. */
import type { HistoryEvent } from '../definitions/api.js';
import { toNumber } from '../definitions/api.js';
import { idOf } from './events.js';
import { HistoryWindow } from './history-window.js';
import { ReplayError } from './nondeterminism.js';
import type { FetchHistory, WorkflowTask } from './workflow-host.js';

/** History could not be fetched: nobody can say what became of the run, so the task has no answer. */
export class HistoryUnreadable extends Error {}

const FIRST_PAGE = new Uint8Array();

export class PagedHistory {
  readonly window: HistoryWindow;
  #token: Uint8Array | undefined;
  /** Events that came with the task and belong behind all pages. */
  #tail: readonly HistoryEvent[];

  private constructor(
    events: readonly HistoryEvent[],
    token: Uint8Array | undefined,
    tail: readonly HistoryEvent[],
    private readonly task: WorkflowTask,
    private readonly fetch: FetchHistory,
  ) {
    this.#token = token;
    this.#tail = tail;
    this.window = new HistoryWindow(events, toNumber(task.previousStartedEventId), token === undefined);
  }

  /** What came with the task, and the pages after it. */
  static ofTask(task: WorkflowTask, fetch: FetchHistory): PagedHistory {
    return new PagedHistory(task.history?.events ?? [], tokenOf(task.nextPageToken), [], task, fetch);
  }

  /** The whole history, fetched, with what came with the task at its end. */
  static fromBeginning(task: WorkflowTask, fetch: FetchHistory): PagedHistory {
    return new PagedHistory([], FIRST_PAGE, task.history?.events ?? [], task, fetch);
  }

  /** Whether the task brought the history from its first event on. */
  static startsAtFirstEvent(task: WorkflowTask): boolean {
    const first = task.history?.events?.[0];
    return first !== undefined && idOf(first) === 1;
  }

  /** Fetches the next page into the window. */
  async fetchMore(): Promise<void> {
    if (this.#token === undefined) throw new ReplayError('There is no more history to fetch');
    const page = await this.fetch(this.#token).catch((cause: unknown) => {
      throw new HistoryUnreadable('A page of history could not be fetched', { cause });
    });
    this.#token = tokenOf(page.nextPageToken);
    const complete = this.#token === undefined;
    this.window.append(page.history.events ?? [], complete);
    if (complete) this.window.append(this.#tail, true);
  }

  /** The task's own Started event must be there, or the server sent less than it said. */
  checkComplete(): void {
    const startedEventId = toNumber(this.task.startedEventId);
    if (this.window.complete && startedEventId > this.window.lastEventId) {
      throw new ReplayError(`The history ends with event ${this.window.lastEventId}, but the task started with event ${startedEventId}`);
    }
  }
}

function tokenOf(token: Uint8Array | null | undefined): Uint8Array | undefined {
  return token && token.length > 0 ? token : undefined;
}
