/** How much a node takes on at once. Beyond that calls wait, and beyond that they are refused with a hint when to come again. */

export interface LoadLimits {
  /** Requests in work at once; long polls and callers that wait for a worker do not count. */
  readonly requestsMax: number;
  /** Bytes of the requests in work, and as many of those that wait. */
  readonly requestBytesMax: number;
  /** Requests that wait for their turn: so many of each line (finishing work, changing runs, starting runs). */
  readonly queuedMax: number;
  /** A request that has waited so long for its turn is refused. */
  readonly queuedMsMax: number;
  /** Long polls, and callers that wait for a worker, at once. */
  readonly waitingMax: number;
  /** Memory in use, garbage included, above which nothing new is taken on. */
  readonly memoryBytesMax: number;
  /** Starts wait while the event loop is later than this, … */
  readonly loopDelayMsMax: number;
  /** … a transition waits longer than this for its commit, … */
  readonly commitWaitMsMax: number;
  /** … or ready tasks wait longer than about this for workers that poll, while there is no time left: … */
  readonly taskWaitMsMax: number;
  /** … the event loop works for more than this share of its time, … */
  readonly loopShareMax: number;
  /** … or the machine for more than this. */
  readonly machineShareMax: number;
}

const MiB = 1024 * 1024;

export const DEFAULT_LOAD_LIMITS: LoadLimits = Object.freeze({
  requestsMax: 1_000,
  requestBytesMax: 64 * MiB,
  queuedMax: 5_000,
  queuedMsMax: 3_000,
  waitingMax: 50_000,
  memoryBytesMax: Number.POSITIVE_INFINITY,
  loopDelayMsMax: 250,
  commitWaitMsMax: 500,
  taskWaitMsMax: 5,
  loopShareMax: 0.65,
  machineShareMax: 0.9,
});
