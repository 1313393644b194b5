/** Who calls, and the id that makes a repeated call the same call. */
import { exceeds, nulProblem } from './text-length.js';
import { type Problem, refuse } from './problem.js';

export function requireIdentity(identity: string | null | undefined, lengthMax: number): void {
  if (identity && exceeds(identity, lengthMax)) refuse('Identity length exceeds limit.');
}

export function requestIdProblem(requestId: string | null | undefined, lengthMax: number): Problem {
  if (!requestId) return undefined;
  return exceeds(requestId, lengthMax) ? 'RequestId length exceeds limit.' : nulProblem('RequestId', requestId);
}

/** For calls that cannot do without a request id. */
export function requireRequestId(requestId: string | null | undefined, lengthMax: number): void {
  refuse(requestId ? requestIdProblem(requestId, lengthMax) : 'RequestId is not set on request.');
}
