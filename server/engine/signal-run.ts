/** SignalWorkflowExecution and SignalWithStartWorkflowExecution. */
import { enums, type temporal } from '../core/api.js';
import { invalidArgument } from '../core/errors.js';
import { isOpenStatus, isRunning, scheduleFirstTask } from '../core/kinds/run.js';
import { type Signal, signalRun } from '../core/kinds/signal.js';
import { isClosing } from '../core/kinds/workflow-task.js';
import type { RunState } from '../core/run-state.js';
import type { Turn } from '../core/turn.js';
import { runIsClosing } from '../core/update-answers.js';
import { validateSignalWithStart, validateSignalWorkflow } from '../core/validate/signal-workflow.js';
import type { Namespace } from '../storage/namespaces.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { belongs, noSuchRun, RunEnded, withRun } from './find-run.js';
import { customAttributes } from './namespace-registry.js';
import { requestLink } from './start-answers.js';
import { endedLately, takenEarlier } from './earlier-runs.js';
import { requireOpen, startInNamespace } from './start-run.js';
import { DuplicateRequest, transact } from './transact.js';

type ILink = temporal.api.common.v1.ILink;
type SignalRequest = temporal.api.workflowservice.v1.ISignalWorkflowExecutionRequest;
type SignalWithStartRequest = temporal.api.workflowservice.v1.ISignalWithStartWorkflowExecutionRequest;
type SignalWithStartResponse = temporal.api.workflowservice.v1.ISignalWithStartWorkflowExecutionResponse;

const ATTEMPTS_MAX = 20;

export async function signalWorkflow(engine: Engine, request: SignalRequest, _call: Call): Promise<object> {
  const namespace = await engine.registry.require(request.namespace);
  validateSignalWorkflow(request, engine.limits);
  const { workflowId } = request.workflowExecution!;
  const requestId = request.requestId ?? '';
  const signal: Signal = {
    name: request.signalName ?? '',
    input: request.input,
    header: request.header,
    identity: request.identity ?? '',
    requestId,
    links: request.links,
  };
  const run = await withRun(engine, namespace, request.workflowExecution, async (runId, found) => {
    const earlier = found && endedLately(engine, found) ? await takenEarlier(engine, namespace, workflowId!, requestId) : undefined;
    return earlier ?? deliverSignal(engine, namespace, workflowId!, runId, signal);
  });
  return { link: signalLink(run, requestId) };
}

/** A link to the event that a signal became; its request id names it, for it may have no number yet. */
const signalLink = (run: RunState, requestId: string): ILink =>
  requestLink(run, requestId, enums.EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);

/** Adds the signal to an open run; a request id that the run has taken before changes nothing, be the run open or not. */
export async function deliverSignal(
  engine: Engine,
  namespace: Namespace,
  workflowId: string,
  runId: string,
  signal: Signal,
): Promise<RunState> {
  try {
    return await transact(engine, runId, (turn) => takeSignal(turn, namespace, workflowId, signal), { workflowId });
  } catch (error) {
    const taken = error instanceof DuplicateRequest || (signal.requestId && (await engine.runs.hasTaken(runId, signal.requestId)));
    const run = taken ? await engine.runs.load(runId) : undefined;
    if (!run || !belongs(run.state.info, namespace, workflowId)) throw error;
    return run.state;
  }
}

function takeSignal(turn: Turn, namespace: Namespace, workflowId: string, signal: Signal): RunState {
  const { state } = turn;
  if (!belongs(state.info, namespace, workflowId)) throw noSuchRun(workflowId, state.info.runId);
  if (!isRunning(state)) throw new RunEnded();
  if (state.signalCount >= turn.limits.signalsPerRunMax) throw invalidArgument('exceeded workflow execution limit for signal events');
  if (isClosing(state)) throw runIsClosing();
  if (signal.requestId) turn.requestIds.push(signal.requestId);
  signalRun(turn, signal);
  return state;
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
    const { open, taken } = await openRun(engine, namespace, request);
    if (taken) return withStartAnswer(taken, signal, begunBy(taken, request.requestId!));
    if (open) {
      try {
        return withStartAnswer(await deliverSignal(engine, namespace, request.workflowId!, open, signal), signal, false);
      } catch (error) {
        if ((error as { code?: string }).code !== 'NOT_FOUND') throw error;
        continue; // it closed meanwhile
      }
    }
    let begun: RunState | undefined;
    const started = await startInNamespace(
      engine,
      namespace,
      { ...request, input: request.input, workflowIdConflictPolicy: conflict(request), requestEagerExecution: false },
      (turn) => {
        begun = turn.state;
        if (signal.requestId) turn.requestIds.push(signal.requestId);
        signalRun(turn, signal);
        scheduleFirstTask(turn);
      },
    );
    if (begun && started.started && begun.info.runId === started.runId) return withStartAnswer(begun, signal, true);
    if (started.started) return withStartAnswer((await engine.runs.load(started.runId!))!.state, signal, true);
  }
  throw new RunEnded();
}

const withStartAnswer = (run: RunState, signal: Signal, started: boolean): SignalWithStartResponse => ({
  runId: run.info.runId,
  firstExecutionRunId: run.info.firstRunId,
  started,
  signalLink: signalLink(run, signal.requestId ?? ''),
});

/** The open run that takes the signal, or one that has taken this very request before; neither when a new one is to begin. */
async function openRun(engine: Engine, namespace: Namespace, request: SignalWithStartRequest): Promise<{ open?: string; taken?: RunState | undefined }> {
  const current = await engine.runs.current(namespace.id, request.workflowId!);
  if (!current) return {};
  const open = isOpenStatus(current.status);
  const taken = endedLately(engine, current) ? await takenEarlier(engine, namespace, request.workflowId!, request.requestId ?? '') : undefined;
  if (taken) return { taken };
  const makesRoom = conflict(request) === enums.WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING;
  return open && !makesRoom ? { open: current.runId } : {};
}

const begunBy = (run: RunState, requestId: string): boolean =>
  run.requestIds[requestId]?.eventType === enums.EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED;

function conflict(request: SignalWithStartRequest): number {
  const terminate = request.workflowIdReusePolicy === enums.WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING;
  if (terminate) return enums.WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING;
  return request.workflowIdConflictPolicy || enums.WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING;
}
