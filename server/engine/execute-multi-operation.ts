/** ExecuteMultiOperation: a start and an update of the same workflow id, as one. A run that has to be started begins with the update in its first commit. */
import { enums, type temporal } from '../core/api.js';
import { invalidArgument, ServiceError, unavailable } from '../core/errors.js';
import { isRunning, scheduleFirstTask } from '../core/kinds/run.js';
import { findUpdate } from '../core/kinds/update.js';
import type { RunState } from '../core/run-state.js';
import type { Turn } from '../core/turn.js';
import { validateStartWorkflow } from '../core/validate/start-workflow.js';
import {
  requireStartAndUpdate,
  startOfUpdateProblem,
  updateOfStartProblem,
  validateUpdateWorkflow,
} from '../core/validate/update-workflow.js';
import { refuse } from '../core/validate/problem.js';
import { customAttributes } from './namespace-registry.js';
import type { Namespace } from '../storage/namespaces.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { multiOperationFailure, type OperationResult } from './multi-operation-failure.js';
import { startedLink } from './start-answers.js';
import { requireOpen, startInNamespace } from './start-run.js';
import { lookAtUpdates, outcomeOf } from './update-status.js';
import { COMPLETED, type UpdateStatus } from './update-waiters.js';
import {
  type RunName,
  stageOf,
  takeUpdate,
  updateAnswer,
  updateInRun,
  type UpdateRequest,
  waitForUpdate,
  withUpdateId,
} from './update-run.js';

type Request = temporal.api.workflowservice.v1.IExecuteMultiOperationRequest;
type Response = temporal.api.workflowservice.v1.IExecuteMultiOperationResponse;
type StartRequest = temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest;
type StartResponse = temporal.api.workflowservice.v1.IStartWorkflowExecutionResponse;
const USE_EXISTING = enums.WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING;

/** Starts by others that may come in between. */
const ATTEMPTS_MAX = 10;

interface Operations {
  start: StartRequest;
  update: UpdateRequest;
}

export async function executeMultiOperation(engine: Engine, request: Request, call: Call): Promise<Response> {
  const namespace = await engine.registry.require(request.namespace);
  const { start, update } = requireStartAndUpdate(request);
  requireOpen(namespace);
  checkOperations(engine, namespace, { start, update });
  const operations = { start: { ...start, namespace: namespace.name }, update: withUpdateId(engine, update) };
  try {
    return await execute(engine, namespace, operations, call);
  } catch (error) {
    if (!(error instanceof OperationsFailed)) throw error;
    // a run that ended before it took the update makes room for one that is started for it
    if (!error.endedMeanwhile) throw multiOperationFailure([error.start, error.update]);
  }
  try {
    return await execute(engine, namespace, operations, call);
  } catch (error) {
    if (!(error instanceof OperationsFailed)) throw error;
    const { start, update, endedMeanwhile } = error;
    throw multiOperationFailure([
      start,
      endedMeanwhile && update instanceof ServiceError ? new ServiceError('ABORTED', update.message) : update,
    ]);
  }
}

class OperationsFailed extends Error {
  constructor(
    readonly start: OperationResult,
    readonly update: OperationResult,
    /** The run that was to take the update has ended. */
    readonly endedMeanwhile = false,
  ) {
    super('a start or an update failed');
  }
}

/** Errors that callers may see become the result of an operation; defects stay what they are. */
const failing =
  (made: (error: ServiceError) => OperationsFailed) =>
  (error: unknown): never => {
    throw error instanceof ServiceError ? made(error) : error;
  };

/** Each operation by itself; then that both are about the same workflow. */
function checkOperations(engine: Engine, namespace: Namespace, { start, update }: Operations): void {
  const results: OperationResult[] = [
    problemOf(() => {
      validateStartWorkflow({ ...start, namespace: namespace.name }, engine.limits, customAttributes(namespace));
      refuse(startOfUpdateProblem(start, namespace.name));
    }),
    problemOf(() => {
      validateUpdateWorkflow(update, engine.limits);
      refuse(updateOfStartProblem(update, namespace.name));
    }),
  ];
  const fine = !results.some((result) => result instanceof ServiceError);
  if (fine && start.workflowId === update.workflowExecution?.workflowId) return;
  throw multiOperationFailure(fine ? ['aborted', invalidArgument('WorkflowId is not consistent with previous operation(s).')] : results);
}

function problemOf(check: () => void): OperationResult {
  try {
    check();
    return 'aborted';
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
}

async function execute(engine: Engine, namespace: Namespace, operations: Operations, call: Call): Promise<Response> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const current = await engine.runs.current(namespace.id, operations.start.workflowId!);
    const run = current && (await engine.runs.load(current.runId));
    const joined = run && (await joinRun(engine, namespace, run.state, operations, call));
    const answered = joined ?? (await startWithUpdate(engine, namespace, operations, call));
    if (answered) return answered;
  }
  throw new OperationsFailed(unavailable('The workflow id is too busy; please retry.'), 'aborted');
}

const answer = (
  startWorkflow: StartResponse,
  updateWorkflow: temporal.api.workflowservice.v1.IUpdateWorkflowExecutionResponse,
): Response => ({
  responses: [{ startWorkflow }, { updateWorkflow }],
});

/** The run that is there takes the update, where the policies say so. Undefined: a new run is to begin. */
async function joinRun(
  engine: Engine,
  namespace: Namespace,
  state: RunState,
  { start, update }: Operations,
  call: Call,
): Promise<Response | undefined> {
  const name: RunName = { workflowId: state.info.workflowId, runId: state.info.runId };
  const updateId = update.request!.meta!.updateId!;
  const known = findUpdate(state, updateId);
  if (known?.stage === 'completed') {
    const outcome = await outcomeOf(engine, name.runId, known.completedEventId);
    return answer(
      { runId: name.runId, started: false, status: state.status },
      { updateRef: { workflowExecution: { ...name }, updateId }, outcome, stage: COMPLETED },
    );
  }
  const sameStart = !!start.requestId && start.requestId === state.info.createRequestId;
  if (!isRunning(state) || !(known || sameStart || start.workflowIdConflictPolicy === USE_EXISTING)) return undefined;
  const status = await updateInRun(engine, namespace, name, update, call).catch(
    failing((e) => new OperationsFailed('aborted', e, e.code === 'NOT_FOUND')),
  );
  return answer(
    { runId: name.runId, started: false, status: state.status, link: startedLink(state) },
    updateAnswer(namespace, name, update, status),
  );
}

/** One commit starts the run and admits the update. Undefined when somebody else started it first. */
async function startWithUpdate(
  engine: Engine,
  namespace: Namespace,
  { start, update }: Operations,
  call: Call,
): Promise<Response | undefined> {
  let wait: Wait | undefined;
  const firstSteps = (turn: Turn): void => {
    wait?.end(); // that run did not come to be
    scheduleFirstTask(turn);
    wait = admitAndWait(engine, turn, update, call);
  };
  const started = await startInNamespace(engine, namespace, start, firstSteps).catch((error) => {
    wait?.end();
    return failing((e) => new OperationsFailed(e, 'aborted'))(error);
  });
  if (!wait || !started.started) {
    wait?.end();
    return undefined;
  }
  wait.committed();
  // a worker of another node may have answered before this one was there to be told
  if (engine.otherNodes())
    void lookAtUpdates(engine, started.runId!).catch((err) => engine.log.warn({ err }, 'updates could not be looked at'));
  const name: RunName = { workflowId: start.workflowId!, runId: started.runId! };
  const status = await wait.status.catch(failing((e) => new OperationsFailed('ok', e)));
  return answer(started, updateAnswer(namespace, name, update, status));
}

interface Wait {
  readonly status: Promise<UpdateStatus>;
  readonly end: () => void;
  /** The commit that admits the update is through. */
  readonly committed: () => void;
}

/** Waits from before the commit on: a worker may have answered when the start itself is told that all is done. */
function admitAndWait(engine: Engine, turn: Turn, update: UpdateRequest, call: Call): Wait | undefined {
  try {
    const taken = takeUpdate(turn, update);
    if (!taken) return undefined;
    let committed = false;
    const wait = {
      committed: () => committed,
      runId: turn.state.info.runId,
      updateId: update.request!.meta!.updateId!,
      admission: taken.admission,
      stage: stageOf(update),
    };
    let end = (): void => undefined;
    const status = waitForUpdate(engine, wait, call, (giveUp) => {
      end = giveUp;
    });
    status.catch(() => undefined);
    return {
      status,
      end,
      committed: () => {
        committed = true;
      },
    };
  } catch (error) {
    return failing((e) => new OperationsFailed('aborted', e))(error);
  }
}
