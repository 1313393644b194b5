/** RequestCancelWorkflowExecution and TerminateWorkflowExecution. */
import type { temporal } from '../core/api.js';
import { notFound } from '../core/errors.js';
import { requestCancelRun } from '../core/kinds/cancel.js';
import { announceClose } from '../core/kinds/close.js';
import { isRunning, terminateRun } from '../core/kinds/run.js';
import type { Turn } from '../core/turn.js';
import type { Namespace } from '../storage/namespaces.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { belongs, noSuchRun, RunEnded, withRun } from './find-run.js';
import { transact } from './transact.js';

type CancelRequest = temporal.api.workflowservice.v1.IRequestCancelWorkflowExecutionRequest;
type TerminateRequest = temporal.api.workflowservice.v1.ITerminateWorkflowExecutionRequest;

/** What the history says when the caller gives no reason. */
const NO_REASON = 'terminated by user via frontend';

export async function requestCancelWorkflow(engine: Engine, request: CancelRequest, _call: Call): Promise<object> {
  const namespace = await engine.registry.require(request.namespace);
  await onOpenRun(engine, namespace, request, (turn) =>
    requestCancelRun(turn, {
      reason: request.reason ?? '',
      identity: request.identity ?? '',
      requestId: request.requestId ?? '',
      links: request.links,
    }),
  ).catch((error: unknown) => {
    if (!(error instanceof RunEnded)) throw error; // asking a closed run to stop is no error
  });
  return {};
}

export async function terminateWorkflow(engine: Engine, request: TerminateRequest, _call: Call): Promise<object> {
  const namespace = await engine.registry.require(request.namespace);
  await onOpenRun(engine, namespace, request, (turn) => {
    const event = terminateRun(turn, {
      reason: request.reason || NO_REASON,
      details: request.details,
      identity: request.identity || 'frontend-service',
      links: request.links,
    });
    announceClose(turn, event);
  });
  return {};
}

/** Does something to the run that a request means; throws RunEnded when there is none that is open. */
async function onOpenRun(engine: Engine, namespace: Namespace, request: CancelRequest | TerminateRequest, act: (turn: Turn) => void): Promise<void> {
  await withRun(engine, namespace, request.workflowExecution, (runId) => {
    const workflowId = request.workflowExecution!.workflowId!;
    return transact(
      engine,
      runId,
      (turn) => {
        if (!belongs(turn.state.info, namespace, workflowId)) throw noSuchRun(workflowId, runId);
        checkFirstRun(turn, request.firstExecutionRunId);
        if (!isRunning(turn.state)) throw new RunEnded();
        act(turn);
      },
      { workflowId },
    );
  });
}

/** The caller means one chain of runs only. */
function checkFirstRun(turn: Turn, firstRunId: string | null | undefined): void {
  if (firstRunId && turn.state.info.firstRunId !== firstRunId) throw notFound('workflow execution not found');
}
