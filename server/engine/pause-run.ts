/** PauseWorkflowExecution and UnpauseWorkflowExecution. */
import type { temporal } from '../core/api.js';
import { invalidArgument } from '../core/errors.js';
import { type PauseRequest, pauseRun, unpauseRun } from '../core/kinds/pause.js';
import { isRunning } from '../core/kinds/run.js';
import type { Turn } from '../core/turn.js';
import { exceeds } from '../core/validate/text-length.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { belongs, noSuchRun, RunEnded, withRun } from './find-run.js';
import { transact } from './transact.js';

type Request = temporal.api.workflowservice.v1.IPauseWorkflowExecutionRequest;

export const pauseWorkflow = (engine: Engine, request: Request, _call: Call): Promise<object> => change(engine, request, pauseRun);

export const unpauseWorkflow = (engine: Engine, request: Request, _call: Call): Promise<object> => change(engine, request, unpauseRun);

async function change(engine: Engine, request: Request, act: (turn: Turn, request: PauseRequest) => void): Promise<object> {
  const namespace = await engine.registry.require(request.namespace);
  const { identity, reason, requestId } = { identity: request.identity ?? '', reason: request.reason ?? '', requestId: request.requestId ?? '' };
  for (const [text, what] of [[reason, 'reason'], [requestId, 'request id'], [identity, 'identity']] as const) {
    if (exceeds(text, engine.limits.idLengthMax)) throw invalidArgument(`${what} is too long.`);
  }
  const workflowId = request.workflowId ?? '';
  await withRun(engine, namespace, { workflowId, runId: request.runId }, (runId) =>
    transact(
      engine,
      runId,
      (turn) => {
        if (!belongs(turn.state.info, namespace, workflowId)) throw noSuchRun(workflowId, runId);
        if (!isRunning(turn.state)) throw new RunEnded();
        act(turn, { identity, reason, requestId });
      },
      { workflowId },
    ),
  );
  return {};
}
