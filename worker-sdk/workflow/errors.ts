/** Errors of workflow code that are no failures: they never leave the worker. */
import type { HistoryMismatch } from '../definitions/mismatch.js';

function named(target: { prototype: Error }, name: string): void {
  Object.defineProperty(target.prototype, 'name', { value: name, configurable: true, writable: true });
}

/** Base of the errors below. */
export class WorkflowError extends Error {}
named(WorkflowError, 'WorkflowError');

/** Workflow code did what cannot be repeated in replay, or what its history says that it did otherwise. */
export class DeterminismViolationError extends WorkflowError {
  /** Where code and history part ways; only from replays. */
  declare readonly mismatch?: HistoryMismatch;
}
named(DeterminismViolationError, 'DeterminismViolationError');

/**
 * Says that a local activity waits so long for its next attempt that a durable timer does the waiting: `backoff` names the `attempt` that is to follow,
 * the pause before it, `backoffDuration`, and when the activity was scheduled first, `originalScheduleTime`.
 */
export class LocalActivityDoBackoff extends Error {
  constructor(public readonly backoff: { attempt?: number | null; backoffDuration?: unknown; originalScheduleTime?: unknown }) {
    super('The local activity backs off');
  }
}
named(LocalActivityDoBackoff, 'LocalActivityDoBackoff');

export { isCancellation } from '../payload/failure.js';
