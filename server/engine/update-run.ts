/** UpdateWorkflowExecution and PollWorkflowExecutionUpdate. */
import { enums, type temporal } from '../core/api.js';
import { failedPrecondition, notFound, ServiceError } from '../core/errors.js';
import { isRunning } from '../core/kinds/run.js';
import { keepsFailing } from '../core/kinds/task-problem.js';
import { admitUpdate, findUpdate } from '../core/kinds/update.js';
import { isClosing, isPaused } from '../core/kinds/workflow-task.js';
import type { RunState } from '../core/run-state.js';
import type { Turn } from '../core/turn.js';
import { runIsClosing, taskKeepsFailing } from '../core/update-answers.js';
import { validatePollUpdate, validateUpdateWorkflow } from '../core/validate/update-workflow.js';
import type { Namespace } from '../storage/namespaces.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { belongs, noSuchRun, readRun, RunEnded, withRun } from './find-run.js';
import { transact } from './transact.js';
import { lookSoon, updateStatus } from './update-status.js';
import { ACCEPTED, ADMITTED, COMPLETED, type UpdateStatus, type UpdateWait } from './update-waiters.js';
import { tellOfWait } from './watch-run.js';

export type UpdateRequest = temporal.api.workflowservice.v1.IUpdateWorkflowExecutionRequest;
export type UpdateResponse = temporal.api.workflowservice.v1.IUpdateWorkflowExecutionResponse;
type PollRequest = temporal.api.workflowservice.v1.IPollWorkflowExecutionUpdateRequest;
type PollResponse = temporal.api.workflowservice.v1.IPollWorkflowExecutionUpdateResponse;

/** A call waits so long; its caller is then told how far the update is, and asks again. */
const WAIT_MS = 20_000;
/** Left over for an answer to reach its caller before the caller's deadline. */
const ANSWER_MS = 20;

export async function updateRun(engine: Engine, request: UpdateRequest, call: Call): Promise<UpdateResponse> {
  const namespace = await engine.registry.require(request.namespace);
  const { workflowId } = validateUpdateWorkflow(request, engine.limits);
  const sent = withUpdateId(engine, request);
  return withRun(engine, namespace, request.workflowExecution, async (runId) => {
    const status = await updateInRun(engine, namespace, { workflowId, runId }, sent, call);
    return updateAnswer(namespace, { workflowId, runId }, sent, status);
  });
}

/** The same request with an id, which the server makes where the caller has none. */
export function withUpdateId(engine: Engine, request: UpdateRequest): UpdateRequest {
  const { request: update } = request;
  if (update?.meta?.updateId) return request;
  return { ...request, request: { ...update, meta: { ...update?.meta, updateId: engine.ids.newId() } } };
}

/** A run as an answer names it. */
export interface RunName {
  workflowId: string;
  runId: string;
}

/** Admits the update to a run, or finds it there, and waits for it as its caller wishes. */
export async function updateInRun(
  engine: Engine,
  namespace: Namespace,
  name: RunName,
  request: UpdateRequest,
  call: Call,
): Promise<UpdateStatus> {
  let waiting: Promise<UpdateStatus> | undefined;
  const updateId = request.request!.meta!.updateId!;
  const found = await transact(
    engine,
    name.runId,
    (turn) => {
      if (!belongs(turn.state.info, namespace, name.workflowId)) throw noSuchRun(name.workflowId, name.runId);
      return takeUpdate(turn, request);
    },
    {
      workflowId: name.workflowId,
      // registered before anything else can happen to the run here
      after(run, taken) {
        if (taken)
          waiting = waitForUpdate(engine, { runId: name.runId, updateId, admission: taken.admission, stage: stageOf(request) }, call);
        waiting?.catch(() => undefined);
        return void run;
      },
    },
  );
  if (found && waiting) return waiting;
  return knownStatus(engine, name, updateId, stageOf(request), call);
}

/** In the transition: the new update's admission; undefined when the run knows the id already. */
export function takeUpdate(turn: Turn, { request, firstExecutionRunId }: UpdateRequest): { admission: number } | undefined {
  const { state } = turn;
  if (firstExecutionRunId && firstExecutionRunId !== state.info.firstRunId) throw notFound('workflow execution not found');
  const known = findUpdate(state, request!.meta!.updateId!);
  if (!isRunning(state)) {
    if (known && known.stage !== 'admitted') return undefined;
    throw new RunEnded();
  }
  if (keepsFailing(state)) throw taskKeepsFailing();
  if (known) return undefined;
  if (isPaused(state)) throw failedPrecondition('Workflow is paused. Cannot update the workflow.');
  if (isClosing(state)) throw runIsClosing();
  return { admission: admitUpdate(turn, request!).admission };
}

/** An update that was sent before: where it is now, or a wait for it. */
async function knownStatus(engine: Engine, name: RunName, updateId: string, stage: number, call: Call): Promise<UpdateStatus> {
  const run = await engine.runs.load(name.runId);
  const status = run && (await updateStatus(engine, run.state, updateId));
  if (!status) throw new ServiceError('UNAVAILABLE', 'the update was rejected meanwhile; please send it again');
  if (status.stage >= stage) return status;
  return waitAndLook(engine, waitOf(run.state, updateId, stage), call);
}

/** For a wait that begins some time after the run was read: what came between is found by reading it once more. */
function waitAndLook(engine: Engine, wait: UpdateWait, call: Call): Promise<UpdateStatus> {
  const waiting = waitForUpdate(engine, wait, call);
  lookSoon(engine, wait.runId);
  return waiting;
}

const waitOf = (state: RunState, updateId: string, stage: number): UpdateWait => {
  const known = findUpdate(state, updateId);
  return { runId: state.info.runId, updateId, admission: known?.stage === 'admitted' ? known.admission : undefined, stage };
};

/** A caller in more of a hurry than this server has its deadline told here: the gRPC library would say it in the same millisecond as its own. */
export function waitForUpdate(engine: Engine, wait: UpdateWait, call: Call, onBegun?: (giveUp: () => void) => void): Promise<UpdateStatus> {
  const leftMs = call.deadline - engine.wall.now() - ANSWER_MS;
  const tooLate = leftMs < WAIT_MS ? new ServiceError('DEADLINE_EXCEEDED', 'context deadline exceeded') : undefined;
  const begun = (giveUp: () => void): void => {
    onBegun?.(giveUp);
    call.onCancelled(giveUp);
  };
  tellOfWait(engine, wait.runId, false, Math.min(WAIT_MS, leftMs));
  return engine.updates.wait(wait, Math.max(0, Math.min(WAIT_MS, leftMs)), begun, tooLate);
}

/** Waiting for nothing in particular means waiting for the outcome. */
export const stageOf = (request: UpdateRequest): number => request.waitPolicy?.lifecycleStage || COMPLETED;

export function updateAnswer(namespace: Namespace, name: RunName, { request }: UpdateRequest, status: UpdateStatus): UpdateResponse {
  return {
    updateRef: { workflowExecution: { ...name }, updateId: request!.meta!.updateId },
    outcome: status.outcome,
    stage: status.stage,
    link: linkOf(namespace, name, request!.requestId ?? '', status),
  };
}

/** To the event that accepted the update; to the run alone when the update failed, which may have left no event. */
function linkOf(
  { name: namespace }: Namespace,
  { workflowId, runId }: RunName,
  requestId: string,
  status: UpdateStatus,
): UpdateResponse['link'] {
  if (status.stage < ACCEPTED) return undefined;
  if (status.outcome?.failure) return { workflow: { namespace, workflowId, runId, reason: 'Update rejected' } };
  const eventType = enums.EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED;
  return { workflowEvent: { namespace, workflowId, runId, requestIdRef: { requestId, eventType } } };
}

export async function pollUpdate(engine: Engine, request: PollRequest, call: Call): Promise<PollResponse> {
  const namespace = await engine.registry.require(request.namespace);
  const { workflowId, updateId } = validatePollUpdate(request);
  const { state } = await readRun(engine, namespace, request.updateRef!.workflowExecution);
  const stage = request.waitPolicy?.lifecycleStage ?? 0;
  let status = await updateStatus(engine, state, updateId);
  if (!status) throw notFound(`update "${updateId}" not found`);
  if (status.stage < stage && stage > ADMITTED) status = await waitAndLook(engine, waitOf(state, updateId, stage), call);
  return { ...status, updateRef: { workflowExecution: { workflowId, runId: state.info.runId }, updateId } };
}
