/** PauseWorkflowExecution and UnpauseWorkflowExecution. */
import type { temporal } from '../core/api.js';
import { invalidArgument } from '../core/errors.js';
import { type PauseRequest, pauseRun, unpauseRun } from '../core/kinds/pause.js';
import type { Turn } from '../core/turn.js';
import { exceeds } from '../core/validate/text-length.js';
import type { Call } from './call.js';
import { changeOpenRun } from './change-open-run.js';
import type { Engine } from './engine.js';

type Request = temporal.api.workflowservice.v1.IPauseWorkflowExecutionRequest;

export const pauseWorkflow = (engine: Engine, request: Request, _call: Call): Promise<object> => change(engine, request, pauseRun);

export const unpauseWorkflow = (engine: Engine, request: Request, _call: Call): Promise<object> => change(engine, request, unpauseRun);

async function change(engine: Engine, request: Request, act: (turn: Turn, request: PauseRequest) => void): Promise<object> {
  const namespace = await engine.registry.require(request.namespace);
  const { identity, reason, requestId } = {
    identity: request.identity ?? '',
    reason: request.reason ?? '',
    requestId: request.requestId ?? '',
  };
  for (const [text, what] of [
    [reason, 'reason'],
    [requestId, 'request id'],
    [identity, 'identity'],
  ] as const) {
    if (exceeds(text, engine.limits.idLengthMax)) throw invalidArgument(`${what} is too long.`);
  }
  const { workflowId, runId } = request;
  await changeOpenRun(engine, namespace, { workflowId, runId }, (turn) => act(turn, { identity, reason, requestId }));
  return {};
}
