/** ResetStickyTaskQueue: the run's next workflow task goes to any worker, with the whole history. */
import type { temporal } from '../core/api.js';
import { isRunning } from '../core/kinds/run.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { belongs, findRunId, noSuchWorkflow, RunEnded } from './find-run.js';
import { transact } from './transact.js';

type Request = temporal.api.workflowservice.v1.IResetStickyTaskQueueRequest;

export async function resetStickyTaskQueue(engine: Engine, request: Request, _call: Call): Promise<object> {
  const namespace = await engine.registry.require(request.namespace);
  const runId = await findRunId(engine, namespace, request.execution);
  const workflowId = request.execution!.workflowId!;
  await transact(engine, runId, (turn) => {
    if (!belongs(turn.state.info, namespace, workflowId)) throw noSuchWorkflow(workflowId);
    if (!isRunning(turn.state)) throw new RunEnded();
    if (!turn.state.sticky) return;
    turn.state.sticky = null;
    turn.touched = true;
  });
  return {};
}
