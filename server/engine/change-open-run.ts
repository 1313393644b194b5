/** One transition of the open run that a request means. */
import type { temporal } from '../core/api.js';
import { isRunning } from '../core/kinds/run.js';
import type { Turn } from '../core/turn.js';
import type { Namespace } from '../storage/namespaces.js';
import type { Engine } from './engine.js';
import { belongs, noSuchRun, RunEnded, withRun } from './find-run.js';
import { transact } from './transact.js';

/** Throws RunEnded when the run is closed and none follows; `check` may refuse the run before that. */
export function changeOpenRun<R>(
  engine: Engine,
  namespace: Namespace,
  execution: temporal.api.common.v1.IWorkflowExecution | null | undefined,
  change: (turn: Turn) => R,
  check?: (turn: Turn) => void,
): Promise<R> {
  return withRun(engine, namespace, execution, (runId) => {
    const workflowId = execution!.workflowId!;
    return transact(
      engine,
      runId,
      (turn) => {
        if (!belongs(turn.state.info, namespace, workflowId)) throw noSuchRun(workflowId, runId);
        check?.(turn);
        if (!isRunning(turn.state)) throw new RunEnded();
        return change(turn);
      },
      { workflowId },
    );
  });
}
