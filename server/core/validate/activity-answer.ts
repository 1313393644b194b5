/** What workers report about activities: by task token, or by ids for those that complete from elsewhere. */
import type { Failure, temporal } from '../api.js';
import { invalidArgument } from '../errors.js';
import { durationProblem } from './duration.js';
import { isUuid } from './execution.js';
import { refuse } from './problem.js';
import { nulProblem } from './text-length.js';

/** The token that a poll handed out; the caller decodes it. */
export function requireTaskToken(token: Uint8Array | null | undefined): Uint8Array {
  if (!token || token.length === 0) throw invalidArgument('Task token not set on request.');
  return token;
}

export const undecodableToken = () => invalidArgument('Error deserializing task token.');

export const foreignToken = () => invalidArgument('Operation requested with a token from a different namespace.');

/** Which activity a "ById" call means. */
export function requireActivityIds(request: { workflowId?: string | null; runId?: string | null; activityId?: string | null }): {
  workflowId: string;
  runId: string;
  activityId: string;
} {
  const { workflowId, runId, activityId } = request;
  if (!activityId) throw invalidArgument('ActivityId is not set on request.');
  if (!workflowId) throw invalidArgument('WorkflowId is not set on request.');
  if (runId && !isUuid(runId)) throw invalidArgument('Invalid RunId.');
  refuse(nulProblem('WorkflowId', workflowId));
  return { workflowId, runId: runId ? runId.toLowerCase() : '', activityId };
}

/** The failure of an attempt: an ApplicationFailure, or left out. */
export function requireActivityFailure(failure: Failure | null | undefined): void {
  if (failure && !failure.applicationFailureInfo) throw invalidArgument('Failure must have ApplicationFailureInfo.');
  requireRetryDelays(failure);
}

/** Delays that a failure, or what caused it, asks for before the next attempt. */
export function requireRetryDelays(failure: Failure | null | undefined): void {
  for (let each: temporal.api.failure.v1.IFailure | null | undefined = failure; each; each = each.cause) {
    const problem = durationProblem(each.applicationFailureInfo?.nextRetryDelay);
    if (problem) throw invalidArgument(`NextRetryDelay is not a valid duration: ${problem}`);
  }
}
