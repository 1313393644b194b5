/**
 * A completion that comes again: it was taken, and its worker was not told, because the node died or lost the database before it could say so. What the
 * completion started (activities that the worker runs itself, its next workflow task) has nobody but that worker, so the same answer is given once more.
 * A worker repeats a call only while it has no answer to it: it does not get the same task twice.
 */
import type { Activity, RunState } from '../core/run-state.js';
import type { WorkflowTaskToken } from './task-token.js';

/** The request id of an inline workflow task, as elsewhere. */
export const INLINE_TASK_ID = 'request-from-RespondWorkflowTaskCompleted';

/** The request id of the activities that a completion starts: it says which one it was. */
export const eagerStartId = ({ s, e, a, at }: WorkflowTaskToken): string => `eager-${s}-${e}-${a}-${at}`;

/** What a completion started that was taken before, as far as nothing has become of it since. */
export interface StartedBefore {
  readonly eager: readonly Activity[];
  readonly nextTask: boolean;
}

/** Undefined: nothing that could be given again. */
export function startedBefore(state: RunState, token: WorkflowTaskToken): StartedBefore | undefined {
  const id = eagerStartId(token);
  const eager = Object.values(state.activities).filter((activity) => activity.requestId === id && activity.startedMs > 0 && activity.lastHeartbeatMs === 0);
  const task = state.workflowTask;
  // later attempts of a task have its ids too; those of a first one are its own
  const isNext = task?.requestId === INLINE_TASK_ID && task.startedEventId > 0 && token.a === 1 && state.previousStartedEventId === token.e;
  return eager.length > 0 || isNext ? { eager, nextTask: isNext } : undefined;
}
