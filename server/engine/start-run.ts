/** StartWorkflowExecution: a new run, or what the policies say when the workflow id is in use. */
import { enums, fromDuration, type temporal, toDuration, toTimestamp } from '../core/api.js';
import { completeRunTimeouts } from '../core/defaults/run-timeouts.js';
import { failedPrecondition, unavailable } from '../core/errors.js';
import { announceClose } from '../core/kinds/close.js';
import { attachToRun } from '../core/kinds/options.js';
import { firstCronMs } from '../core/kinds/retry-and-cron.js';
import { beginRun, isRunning, type NewRun, scheduleFirstTask, terminateRun } from '../core/kinds/run.js';
import { startWorkflowTask } from '../core/kinds/workflow-task.js';
import { textPayloads } from '../core/payloads.js';
import { completeRetryPolicy, retryPolicyToApi } from '../core/retry-policy.js';
import type { RunState } from '../core/run-state.js';
import type { Turn } from '../core/turn.js';
import { requireNamespaceState } from '../core/validate/namespace.js';
import { refuse } from '../core/validate/problem.js';
import { pinnedTo, versioningOverrideProblem } from '../core/validate/versioning-override.js';
import { validateStartWorkflow } from '../core/validate/start-workflow.js';
import type { Namespace } from '../storage/namespaces.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { handOut } from './hand-out.js';
import type { CachedRun } from './run-cache.js';
import { begunEarlier } from './earlier-runs.js';
import { handOutId } from './ids.js';
import { customAttributes } from './namespace-registry.js';
import { commit, commitItem, fresh, settleNew, transact } from './transact.js';
import { typedSearchAttributes } from './typed-search-attributes.js';
import { finishedBefore, requestLink, runAnswer, stillRunning } from './start-answers.js';
import { workflowTaskAnswerMessage } from './workflow-task-answer.js';

type StartRequest = temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest;
type StartResponse = temporal.api.workflowservice.v1.IStartWorkflowExecutionResponse;
const REUSE = enums.WorkflowIdReusePolicy;
const CONFLICT = enums.WorkflowIdConflictPolicy;
const STATUS = enums.WorkflowExecutionStatus;
const KIND_NORMAL = enums.TaskQueueKind.TASK_QUEUE_KIND_NORMAL;

/** After the events that the run started and that its first task was scheduled. */
const FIRST_STARTED_ID = 3;

/** Races that one start may lose. */
const ATTEMPTS_MAX = 20;

export async function startRun(engine: Engine, request: StartRequest, _call: Call): Promise<StartResponse> {
  const namespace = await engine.registry.require(request.namespace);
  requireOpen(namespace);
  validateStartWorkflow(request, engine.limits, customAttributes(namespace));
  requireNoPin(request);
  return startInNamespace(engine, namespace, request, (turn) => scheduleFirstTask(turn));
}

/** New runs need a namespace that is neither deprecated nor deleted. */
export const requireOpen = (namespace: Namespace): void =>
  requireNamespaceState(namespace.name, namespace.state, [enums.NamespaceState.NAMESPACE_STATE_REGISTERED]);

/** A run may be pinned to a version of its workers; this server knows of none. */
function requireNoPin(request: StartRequest): void {
  refuse(versioningOverrideProblem(request.versioningOverride));
  const version = pinnedTo(request.versioningOverride);
  if (version)
    throw failedPrecondition(`Pinned version '${version}' is not present in task queue '${request.taskQueue?.name}' of type 'Workflow'`);
}

/** What happens to the new run in its first transition, besides its Started event. */
export type FirstSteps = (turn: Turn) => void;

export async function startInNamespace(
  engine: Engine,
  namespace: Namespace,
  request: StartRequest,
  firstSteps: FirstSteps,
): Promise<StartResponse> {
  const workflowId = request.workflowId ?? '';
  return engine.serial.run(`${namespace.id}/${workflowId}`, async () => {
    // most workflow ids are new: the first try lets the commit itself find out, which saves the look-up
    const first = await startFresh(engine, namespace, request, firstSteps, undefined, true);
    if (first) return first;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const answer = await startOnce(engine, namespace, request, firstSteps);
      if (answer) return answer;
    }
    throw unavailable('The workflow id is too busy; please retry.');
  });
}

/** Undefined when the race for the workflow id was lost. */
async function startOnce(
  engine: Engine,
  namespace: Namespace,
  request: StartRequest,
  firstSteps: FirstSteps,
): Promise<StartResponse | undefined> {
  const current = await engine.runs.current(namespace.id, request.workflowId!);
  const existing = current && (await engine.runs.load(current.runId));
  if (existing) {
    const { state } = existing;
    if (request.requestId && state.requestIds[request.requestId])
      return { ...requestAnswer(state, request.requestId), ...(isItsOwn(state, request) && { eagerWorkflowTask: await workflowTaskAnswerMessage(engine, fresh(existing)) }) };
    const earlier = request.requestId && (await begunEarlier(engine, namespace, state, request.requestId));
    if (earlier) return requestAnswer(earlier, request.requestId!);
    if (isRunning(state)) return startOverOpen(engine, namespace, request, firstSteps, state);
    refuseReuse(request, state);
  }
  return startFresh(engine, namespace, request, firstSteps, current?.runId);
}

/** Whether the run still stands where this start left it, with its first task at the caller: one that repeats its call was not told of it. */
const isItsOwn = ({ workflowTask: task }: RunState, { requestEagerExecution, identity }: StartRequest): boolean =>
  requestEagerExecution === true && task?.startedEventId === FIRST_STARTED_ID && task.attempt === 1 && task.identity === (identity ?? '');

/** What a start is told whose request id the run has begun with, or taken since. */
function requestAnswer(state: RunState, requestId: string): StartResponse {
  const { eventType } = state.requestIds[requestId]!;
  const begun = eventType === enums.EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED;
  return runAnswer(state, begun, begun ? undefined : requestLink(state, requestId, eventType));
}

/** The same start for `SignalWithStart` and others: the run as it begins. */
export function newRunOf(engine: Engine, namespace: Namespace, request: StartRequest, after: string | undefined): NewRun {
  const runId = engine.ids.newRunId(engine.clock.now(), after);
  return {
    namespaceId: namespace.id,
    namespace: namespace.name,
    workflowId: request.workflowId!,
    runId,
    requestId: request.requestId || engine.ids.newId(),
    userMetadata: request.userMetadata,
    links: request.links,
    attributes: startedAttributes(engine, request, runId),
  };
}

function startedAttributes(engine: Engine, request: StartRequest, runId: string): NewRun['attributes'] {
  const timeouts = completeRunTimeouts(request, engine.limits);
  const nowMs = engine.clock.now();
  const delayMs = fromDuration(request.workflowStartDelay) || firstCronMs(request.cronSchedule, nowMs);
  return {
    workflowType: request.workflowType,
    taskQueue: { name: request.taskQueue?.name, kind: KIND_NORMAL },
    input: request.input,
    workflowExecutionTimeout: timeouts.executionMs ? toDuration(timeouts.executionMs) : request.workflowExecutionTimeout,
    workflowRunTimeout: timeouts.runMs ? toDuration(timeouts.runMs) : request.workflowRunTimeout,
    workflowTaskTimeout: toDuration(timeouts.taskMs),
    workflowExecutionExpirationTime: timeouts.executionMs ? toTimestamp(nowMs + timeouts.executionMs) : undefined,
    originalExecutionRunId: runId,
    identity: request.identity,
    firstExecutionRunId: runId,
    retryPolicy: request.retryPolicy ? retryPolicyToApi(completeRetryPolicy(request.retryPolicy)) : undefined,
    attempt: 1,
    cronSchedule: request.cronSchedule,
    initiator: request.cronSchedule ? enums.ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE : undefined,
    continuedFailure: request.continuedFailure,
    lastCompletionResult: request.lastCompletionResult,
    firstWorkflowTaskBackoff: toDuration(delayMs),
    memo: request.memo,
    searchAttributes: typedSearchAttributes(
      request.searchAttributes,
      engine.registry.peek(request.namespace ?? '')?.searchAttributes ?? {},
    ),
    header: request.header,
    workflowId: request.workflowId,
    completionCallbacks: request.completionCallbacks,
    priority: request.priority,
    versioningOverride: request.versioningOverride,
  };
}

async function startFresh(
  engine: Engine,
  namespace: Namespace,
  request: StartRequest,
  firstSteps: FirstSteps,
  after: string | undefined,
  firstOfWorkflow = false,
): Promise<StartResponse | undefined> {
  const run = newRunOf(engine, namespace, request, after);
  if (request.requestEagerExecution && !fromDuration(request.workflowStartDelay) && !request.cronSchedule)
    run.attributes.eagerExecutionAccepted = true;
  const turn = beginRun(run, engine.turnContext());
  firstSteps(turn);
  const eager = takeEagerly(engine, turn, request);
  const out = handOut(engine, turn);
  const item = commitItem(turn, out, { version: 0, deadlineMs: null, rewrite: false });
  item.runs[0]!.firstOfWorkflow = firstOfWorkflow;
  if (!(await commit(engine, item, out))) return undefined;
  const answer = runAnswer(turn.state, true);
  await settleNew(engine, turn, item, out, async (run) => {
    if (eager) answer.eagerWorkflowTask = await workflowTaskAnswerMessage(engine, run);
  });
  return answer;
}

/** The caller is a worker of the queue and takes the first workflow task itself. */
function takeEagerly(engine: Engine, turn: Turn, request: StartRequest): boolean {
  const task = turn.state.workflowTask;
  if (!request.requestEagerExecution || !task || task.startedEventId) return false;
  startWorkflowTask(turn, { identity: request.identity ?? '', requestId: handOutId(engine), inline: true });
  turn.effects.length = 0;
  return true;
}

/** The workflow id has an open run. */
async function startOverOpen(
  engine: Engine,
  namespace: Namespace,
  request: StartRequest,
  firstSteps: FirstSteps,
  state: RunState,
): Promise<StartResponse | undefined> {
  const { runId } = state.info;
  switch (conflictPolicy(request)) {
    case CONFLICT.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING:
      return joinRun(engine, request, state);
    case CONFLICT.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING:
      return terminateAndStart(engine, namespace, request, firstSteps, runId);
    default:
      throw stillRunning(state);
  }
}

export function conflictPolicy(request: StartRequest): number {
  if (request.workflowIdReusePolicy === REUSE.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING)
    return CONFLICT.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING;
  return request.workflowIdConflictPolicy || CONFLICT.WORKFLOW_ID_CONFLICT_POLICY_FAIL;
}

/** One commit ends the old run and begins the new one. */
async function terminateAndStart(
  engine: Engine,
  namespace: Namespace,
  request: StartRequest,
  firstSteps: FirstSteps,
  runId: string,
): Promise<StartResponse | undefined> {
  return transact(engine, runId, (turn, _run: CachedRun) => {
    if (!isRunning(turn.state)) return undefined;
    const run = newRunOf(engine, namespace, request, runId);
    terminateForStart(turn, run.runId);
    const next = beginRun(run, turn.context);
    firstSteps(next);
    turn.effect({ type: 'new-run', turn: next });
    return runAnswer(next.state, true);
  });
}

/** An open run makes room for one that begins. */
export function terminateForStart(turn: Turn, newRunId: string): void {
  const details = textPayloads(`terminated by new runID: ${newRunId}`);
  announceClose(turn, terminateRun(turn, { reason: 'TerminateIfRunning WorkflowIdReusePolicy', details, identity: 'history-service' }));
}

/** The workflow id was used before: whether it may be used again. */
function refuseReuse(request: StartRequest, state: RunState): void {
  const completed = state.status === STATUS.WORKFLOW_EXECUTION_STATUS_COMPLETED;
  switch (request.workflowIdReusePolicy) {
    case REUSE.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE:
      throw finishedBefore(state, 'reject duplicate workflow Id');
    case REUSE.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY:
      if (completed) throw finishedBefore(state, 'allow duplicate workflow Id if last run failed', ' successfully');
  }
}

/** A later start joins the open run: it gets that run, and attaches what it was told to. */
async function joinRun(engine: Engine, request: StartRequest, state: RunState): Promise<StartResponse> {
  const { onConflictOptions: options, requestId } = request;
  if (!options?.attachRequestId || !requestId) return runAnswer(state, false);
  return transact(engine, state.info.runId, (turn) => {
    if (!isRunning(turn.state)) return runAnswer(turn.state, false);
    attachToRun(turn, {
      requestId,
      callbacks: options.attachCompletionCallbacks ? (request.completionCallbacks ?? []) : [],
      links: options.attachLinks ? request.links : undefined,
    });
    return runAnswer(turn.state, false, requestLink(turn.state, requestId, enums.EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED));
  });
}
