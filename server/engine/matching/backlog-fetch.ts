/** When to ask the database for tasks of a queue, and for how many: for the pollers that wait, and ahead of those that are about to come. */
import type { QueueName } from '../../storage/tasks.js';
import type { Queue } from './queue.js';

/** Tasks of one queue that a node keeps at most; more are left to whoever comes. */
const KEPT_MAX = 1_000;
/** No more are kept than go out in this time, well before their claim ends; a queue that is new or slow keeps a few all the same. */
const KEPT_FOR_MS = 3_000;
const KEPT_MIN = 20;

/** A limit that lets nothing go for longer is looked at again all the same. */
const ARM_MAX_MS = 60_000;

/** How many tasks this node may keep of a queue: a whole number, as so many are asked of the database. */
export const keptMax = (queue: Queue): number =>
  Math.floor(Math.min(KEPT_MAX, Math.max(KEPT_MIN, queue.dispatchedPerS * (KEPT_FOR_MS / 1_000))));

/** What fetching needs of the rest of the engine. */
export interface FetchWorld {
  /** Called when pollers wait and tasks may lie in the database. Tasks of `heldKeys` must wait. */
  readonly fetch: (queue: QueueName, wanted: number, heldKeys: readonly string[]) => Promise<void>;
  /** Whether this node is the only one, so that what it claims ahead is withheld from nobody. */
  readonly alone: () => boolean;
}

export class BacklogFetch {
  constructor(
    private readonly world: FetchWorld,
    /** Hands out what the limits of a queue let go. */
    private readonly pump: (queue: Queue) => void,
  ) {}

  /** Fetches for the pollers that wait, one statement at a time. */
  start(queue: Queue): void {
    if (queue.fetching) return;
    const { limiter } = queue;
    const room = limiter?.room ?? Number.POSITIVE_INFINITY;
    if (room === 0) {
      if (queue.surelyBacklog) limiter?.held();
      this.arm(queue);
      return;
    }
    const heldKeys = limiter?.heldKeys() ?? [];
    queue.fetching = true;
    queue.maybeBacklog = false;
    queue.surelyBacklog = false;
    const again = (): void => {
      queue.fetching = false;
      if (heldKeys.length > 0 && !queue.maybeBacklog) {
        queue.maybeBacklog = true; // of those that were passed by
        this.arm(queue);
      } else if (queue.maybeBacklog && queue.waiting.length > 0) this.start(queue);
    };
    const failed = (): void => {
      queue.fetching = false;
      queue.maybeBacklog = true; // the sweep looks again, once the database answers
    };
    this.world.fetch(queue.name, Math.min(Math.max(queue.waiting.length, this.ahead(queue)), room), heldKeys).then(again, failed);
  }

  /** Fetches for pollers that are about to come, when few are kept for them. */
  startAhead(queue: Queue): void {
    if (queue.maybeBacklog && this.ahead(queue) > 0) this.start(queue);
  }

  /** Looks again when the limits of a queue let something more go. */
  arm(queue: Queue): void {
    const inMs = queue.limiter?.readyInMs() ?? Number.POSITIVE_INFINITY;
    if (queue.limitTimer || inMs === Number.POSITIVE_INFINITY) return;
    queue.limitTimer = setTimeout(
      () => {
        queue.limitTimer = undefined;
        this.pump(queue);
      },
      Math.min(Math.ceil(inMs), ARM_MAX_MS),
    );
    queue.limitTimer.unref();
  }

  disarm(queue: Queue): void {
    clearTimeout(queue.limitTimer);
    queue.limitTimer = undefined;
  }

  /** How many tasks to fetch for pollers that are about to come: a backlog goes out by batches, not one by one. */
  private ahead(queue: Queue): number {
    if (queue.limiter || !this.world.alone()) return 0;
    const room = keptMax(queue);
    return queue.kept.size <= room / 2 ? room - queue.kept.size : 0;
  }
}
