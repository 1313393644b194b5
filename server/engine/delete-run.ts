/** DeleteWorkflowExecution: a run goes, with its history and all that hangs on it. One that is open ends first, and parent and children hear of it. */
import type { temporal } from '../core/api.js';
import { announceClose } from '../core/kinds/close.js';
import { isRunning, terminateRun } from '../core/kinds/run.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { belongs, findRunId, noSuchRun } from './find-run.js';
import { transact } from './transact.js';

type Request = temporal.api.workflowservice.v1.IDeleteWorkflowExecutionRequest;

export async function deleteRun(engine: Engine, request: Request, _call: Call): Promise<object> {
  const namespace = await engine.registry.require(request.namespace);
  const runId = await findRunId(engine, namespace, request.workflowExecution);
  const workflowId = request.workflowExecution!.workflowId!;
  await transact(
    engine,
    runId,
    (turn) => {
      if (!belongs(turn.state.info, namespace, workflowId)) throw noSuchRun(workflowId, runId);
      if (isRunning(turn.state))
        announceClose(turn, terminateRun(turn, { reason: 'Delete workflow execution', identity: 'history-service' }));
    },
    { workflowId },
  );
  await engine.retention.removeRun(runId);
  engine.cache.drop(runId);
  engine.watchers.wake(runId);
  engine.notify({ kind: 'run', runId });
  return {};
}
