/** SignalWorkflowExecution and SignalWithStartWorkflowExecution. */
import { enums, type temporal } from '../core/api.js';
import { notFound } from '../core/errors.js';
import { isRunning, scheduleFirstTask } from '../core/kinds/run.js';
import { type Signal, signalRun } from '../core/kinds/signal.js';
import { validateSignalWithStart, validateSignalWorkflow } from '../core/validate/signal-workflow.js';
import type { Namespace } from '../storage/namespaces.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { belongs, findRunId, noSuchRun } from './find-run.js';
import { customAttributes } from './namespace-registry.js';
import { requireOpen, startInNamespace } from './start-run.js';
import { DuplicateRequest, transact } from './transact.js';

type SignalRequest = temporal.api.workflowservice.v1.ISignalWorkflowExecutionRequest;
type SignalWithStartRequest = temporal.api.workflowservice.v1.ISignalWithStartWorkflowExecutionRequest;
type SignalWithStartResponse = temporal.api.workflowservice.v1.ISignalWithStartWorkflowExecutionResponse;

export const alreadyCompleted = (): Error => notFound('workflow execution already completed');

const ATTEMPTS_MAX = 20;

export async function signalWorkflow(engine: Engine, request: SignalRequest, _call: Call): Promise<object> {
  const namespace = await engine.registry.require(request.namespace);
  validateSignalWorkflow(request, engine.limits);
  const runId = await findRunId(engine, namespace, request.workflowExecution);
  await deliverSignal(engine, namespace, request.workflowExecution!.workflowId!, runId, {
    name: request.signalName ?? '',
    input: request.input,
    header: request.header,
    identity: request.identity ?? '',
    requestId: request.requestId ?? '',
    links: request.links,
  });
  return {};
}

/** Adds the signal to an open run; a request id that the run has taken before changes nothing. */
export async function deliverSignal(engine: Engine, namespace: Namespace, workflowId: string, runId: string, signal: Signal): Promise<void> {
  try {
    await transact(engine, runId, (turn) => {
      if (!belongs(turn.state.info, namespace, workflowId)) throw noSuchRun(workflowId, runId);
      if (!isRunning(turn.state)) throw alreadyCompleted();
      if (signal.requestId) turn.requestIds.push(signal.requestId);
      signalRun(turn, signal);
    }, { workflowId });
  } catch (error) {
    if (!(error instanceof DuplicateRequest)) throw error;
  }
}

export async function signalWithStart(engine: Engine, request: SignalWithStartRequest, _call: Call): Promise<SignalWithStartResponse> {
  const namespace = await engine.registry.require(request.namespace);
  requireOpen(namespace);
  validateSignalWithStart(request, engine.limits, customAttributes(namespace));
  const signal: Signal = {
    name: request.signalName ?? '',
    input: request.signalInput,
    header: request.header,
    identity: request.identity ?? '',
    requestId: request.requestId ?? '',
    links: request.links,
  };
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const open = await openRun(engine, namespace, request);
    if (open) {
      try {
        await deliverSignal(engine, namespace, request.workflowId!, open, signal);
        return { runId: open, started: false };
      } catch (error) {
        if ((error as { code?: string }).code !== 'NOT_FOUND') throw error;
        continue; // it closed meanwhile
      }
    }
    const started = await startInNamespace(
      engine,
      namespace,
      { ...request, input: request.input, workflowIdConflictPolicy: conflict(request), requestEagerExecution: false },
      (turn) => {
        if (signal.requestId) turn.requestIds.push(signal.requestId);
        signalRun(turn, { ...signal, requestId: signal.requestId });
        scheduleFirstTask(turn);
      },
    );
    if (started.started) return { runId: started.runId, started: true };
  }
  throw alreadyCompleted();
}

/** The open run that takes the signal; undefined when a new one is to begin. */
async function openRun(engine: Engine, namespace: Namespace, request: SignalWithStartRequest): Promise<string | undefined> {
  if (conflict(request) === enums.WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING) return undefined;
  const current = await engine.runs.current(namespace.id, request.workflowId!);
  return current && current.status === enums.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING ? current.runId : undefined;
}

function conflict(request: SignalWithStartRequest): number {
  const terminate = request.workflowIdReusePolicy === enums.WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING;
  if (terminate) return enums.WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING;
  return request.workflowIdConflictPolicy || enums.WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING;
}
