/**
 * The speculative workflow task, which carries updates to a worker and is not written: when they are all rejected it was never there.
 * It becomes an ordinary one, written, as soon as anything else happens in the run.
 */
import type { temporal } from '../api.js';
import type { Limits } from '../limits.js';
import type { RunState } from '../run-state.js';
import type { Turn } from '../turn.js';
import { writeUnwritten } from './workflow-task.js';

type CompletedRequest = temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest;

const REJECTION = 'temporal.api.update.v1.Rejection';

/** Its events are written now, before those of whatever else happens. */
export function makeOrdinary(turn: Turn): void {
  const task = turn.state.workflowTask;
  if (task?.kind !== 'speculative') return;
  task.kind = 'normal';
  writeUnwritten(turn, task.identity);
}

/** Whether the answer to the started task brings nothing that has to be written. */
export function leavesNoTrace(state: RunState, request: CompletedRequest, limits: Limits): boolean {
  if (state.workflowTask?.kind !== 'speculative' || request.commands?.length || request.forceCreateNewWorkflowTask) return false;
  // events that the task shipped are shipped again with the next one, which not every SDK understands
  const shipped = state.nextEventId - (state.previousStartedEventId + 2);
  const shippable = request.capabilities?.discardSpeculativeWorkflowTaskWithEvents ? limits.speculativeDropEventsMax : 0;
  return shipped <= shippable && (request.messages ?? []).every((message) => typeName(message.body?.type_url) === REJECTION);
}

/** `temporal.api.update.v1.Request` of `type.googleapis.com/temporal.api.update.v1.Request`. */
export const typeName = (typeUrl: string | null | undefined): string => (typeUrl ?? '').split('/').at(-1) ?? '';
