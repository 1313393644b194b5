/** RequestCancelWorkflowExecution and TerminateWorkflowExecution. */
import type { temporal } from '../core/api.js';
import { notFound } from '../core/errors.js';
import { requestCancelRun } from '../core/kinds/cancel.js';
import { announceClose } from '../core/kinds/close.js';
import { terminateRun } from '../core/kinds/run.js';
import type { Turn } from '../core/turn.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { changeOpenRun } from './change-open-run.js';
import { RunEnded } from './find-run.js';

type CancelRequest = temporal.api.workflowservice.v1.IRequestCancelWorkflowExecutionRequest;
type TerminateRequest = temporal.api.workflowservice.v1.ITerminateWorkflowExecutionRequest;

/** What the history says when the caller gives no reason. */
const NO_REASON = 'terminated by user via frontend';

export async function requestCancelWorkflow(engine: Engine, request: CancelRequest, _call: Call): Promise<object> {
  const namespace = await engine.registry.require(request.namespace);
  const cancel = (turn: Turn): void =>
    requestCancelRun(turn, {
      reason: request.reason ?? '',
      identity: request.identity ?? '',
      requestId: request.requestId ?? '',
      links: request.links,
    });
  await changeOpenRun(engine, namespace, request.workflowExecution, cancel, ofChain(request)).catch((error: unknown) => {
    if (!(error instanceof RunEnded)) throw error; // asking a closed run to stop is no error
  });
  return {};
}

export async function terminateWorkflow(engine: Engine, request: TerminateRequest, _call: Call): Promise<object> {
  const namespace = await engine.registry.require(request.namespace);
  const terminate = (turn: Turn): void => {
    const event = terminateRun(turn, {
      reason: request.reason || NO_REASON,
      details: request.details,
      identity: request.identity || 'frontend-service',
      links: request.links,
    });
    announceClose(turn, event);
  };
  await changeOpenRun(engine, namespace, request.workflowExecution, terminate, ofChain(request));
  return {};
}

/** The caller may mean the runs of one chain only. */
const ofChain =
  ({ firstExecutionRunId }: CancelRequest | TerminateRequest) =>
  ({ state }: Turn): void => {
    if (firstExecutionRunId && state.info.firstRunId !== firstExecutionRunId) throw notFound('workflow execution not found');
  };
