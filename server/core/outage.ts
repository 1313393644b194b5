/**
 * After an outage (no engine ran, the database did not answer) workers need a moment to hand in what they finished meanwhile. Until they had it, they are
 * not held to what fell due during the outage, so that a step whose result is on its way is not done twice. What does not depend on them (a workflow's
 * own timer, the wait before an attempt) is done at once.
 */
export const GRACE_MS = 3_000;

/** When a worker's time is up that was to be up at `dueMs` (0 = never). `reachableSinceMs`: when the last outage ended; 0 = there was none. */
export const workersDeadline = (dueMs: number, reachableSinceMs: number): number =>
  dueMs > 0 && dueMs <= reachableSinceMs ? reachableSinceMs + GRACE_MS : dueMs;
