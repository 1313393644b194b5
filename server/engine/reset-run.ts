/** ResetWorkflowExecution: a new run that begins with the history of another up to a workflow task, and the end of the run that was open. */
import { enums, type HistoryEvent, type temporal, toNumber } from '../core/api.js';
import { blankState } from '../core/blank-state.js';
import type { TakenOver } from '../core/effect.js';
import { invalidArgument } from '../core/errors.js';
import { foldInto } from '../core/evolve.js';
import { triggerCallbacks } from '../core/kinds/callback.js';
import { announceContinuation } from '../core/kinds/close.js';
import { beginReset, excludedBy, notResettable, reapply, type Reset, RESETTER, resume } from '../core/kinds/reset.js';
import { isRunning, terminateRun } from '../core/kinds/run.js';
import type { RunState } from '../core/run-state.js';
import { Turn } from '../core/turn.js';
import { validateResetWorkflow } from '../core/validate/reset-workflow.js';
import type { Namespace } from '../storage/namespaces.js';
import type { LoadedRun } from '../storage/runs.js';
import { eventsOf, rowsOf } from './base-history.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { belongs, noSuchRun, noSuchWorkflow } from './find-run.js';
import { applyPostResetOperations, checkPostResetOperations } from './post-reset.js';
import { decodeEvents, encodeEvents } from './raw-history.js';
import type { CachedRun } from './run-cache.js';
import { transact } from './transact.js';

type Request = temporal.api.workflowservice.v1.IResetWorkflowExecutionRequest;
const T = enums.EventType;

/** Newer runs of the workflow id that may come in between. */
const ATTEMPTS_MAX = 20;

/** A newer run has begun since the current one was looked up. */
class Moved extends Error {}

export async function resetWorkflow(engine: Engine, request: Request, _call: Call): Promise<{ runId: string }> {
  const namespace = await engine.registry.require(request.namespace);
  const { workflowId, runId } = validateResetWorkflow(request, engine.limits);
  checkPostResetOperations(request.postResetOperations);
  for (let attempt = 1; ; attempt++) {
    const current = await engine.runs.current(namespace.id, workflowId);
    if (!current) throw noSuchWorkflow(workflowId);
    try {
      return {
        runId: await resetFrom(engine, namespace, request, { workflowId, baseRunId: runId || current.runId, currentRunId: current.runId }),
      };
    } catch (error) {
      if (!(error instanceof Moved) || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

interface Names {
  workflowId: string;
  baseRunId: string;
  currentRunId: string;
}

/** What a reset takes from histories, read before the decision. */
interface Plan {
  /** Undefined when the base is the current run itself. */
  base: LoadedRun | undefined;
  state: RunState;
  takesOver: TakenOver;
  /** Request ids of the signals in the kept part: the new run has taken them as well. */
  taken: ReadonlySet<string>;
  reset: Reset;
  /** What came after the reset point, here and in runs that the base continued as. */
  later: HistoryEvent[];
  /** Those runs lead to the current one: what its end still brings belongs to them. */
  reachesCurrent: boolean;
}

async function resetFrom(engine: Engine, namespace: Namespace, request: Request, names: Names): Promise<string> {
  let plan: Plan | Error;
  return transact(
    engine,
    names.currentRunId,
    (turn) => {
      const { info } = turn.state;
      if (info.resetRequestId === request.requestId) return info.runId; // the same request again
      if (plan instanceof Error) throw plan;
      return decide(turn, plan, request);
    },
    {
      async prepare(run) {
        plan = await makePlan(engine, namespace, request, names, run).catch((error: Error) => error);
      },
    },
  );
}

function decide(turn: Turn, plan: Plan, request: Request): string {
  const { reset, base } = plan;
  const newRunId = plan.state.info.runId;
  if (base) {
    const baseTurn = new Turn(base.state, turn.context);
    base.state.resetRunId = newRunId;
    baseTurn.touched = true;
    turn.effect({ type: 'other-run', turn: baseTurn, version: base.version, deadlineMs: base.deadlineMs });
  } else {
    turn.state.resetRunId = newRunId;
  }
  turn.touched = true;
  if (isRunning(turn.state)) {
    terminateRun(turn, { reason: reset.reason, identity: RESETTER });
    // within one chain the new run has the callbacks as well, and its end is what they wait for
    if (base && turn.state.info.firstRunId !== plan.state.info.firstRunId) triggerCallbacks(turn);
    if (base) announceContinuation(turn); // the children of the base itself stay: the new run may know them
  }
  const next = beginReset(plan.state, reset, turn.context);
  next.requestIds.push(...plan.taken);
  for (const event of plan.later) reapply(next, event, reset);
  if (plan.reachesCurrent) for (const event of turn.events) reapply(next, event, reset);
  applyPostResetOperations(next, request.postResetOperations);
  resume(next, reset);
  turn.effect({ type: 'new-run', turn: next, takesOver: plan.takesOver });
  return newRunId;
}

async function makePlan(engine: Engine, namespace: Namespace, request: Request, names: Names, current: CachedRun): Promise<Plan> {
  const { workflowId, baseRunId, currentRunId } = names;
  if ((await engine.runs.current(namespace.id, workflowId))?.runId !== currentRunId) throw new Moved();
  const base = baseRunId === currentRunId ? undefined : await engine.runs.load(baseRunId);
  const baseState = base?.state ?? (baseRunId === currentRunId ? current.state : undefined);
  if (!baseState || !belongs(baseState.info, namespace, workflowId)) throw noSuchRun(workflowId, baseRunId);
  const beforeEventId = toNumber(request.workflowTaskFinishEventId);
  if (beforeEventId <= 1 || beforeEventId >= baseState.nextEventId) {
    throw invalidArgument('Workflow task finish ID must be > 1 && <= workflow last event ID.');
  }
  const { info } = baseState;
  const state = blankState({ ...info, runId: engine.ids.newRunId(engine.clock.now(), currentRunId), requestId: info.createRequestId });
  const underWay = new Map<number, HistoryEvent>();
  const taken = new Set<string>();
  const takesOver = await foldBase(engine, baseRunId, beforeEventId, state, { underWay, taken });
  const reset: Reset = { reason: request.reason ?? '', baseRunId, requestId: request.requestId!, excluded: excludedBy(request), underWay };
  return { base, state, takesOver, taken, reset, ...(await readLater(engine, baseState, beforeEventId, currentRunId, current)) };
}

/** What folding the kept part finds besides the state. */
interface Kept {
  readonly underWay: Map<number, HistoryEvent>;
  readonly taken: Set<string>;
}

/** Folds the kept part of the base's history, row by row; the last row may be cut where a batch ends. */
async function foldBase(engine: Engine, runId: string, beforeEventId: number, state: RunState, kept: Kept): Promise<TakenOver> {
  let rest: TakenOver['rest'];
  for await (const row of rowsOf(engine, runId, 1, beforeEventId)) {
    let events = decodeEvents(row.events);
    if (row.lastEventId >= beforeEventId) {
      if (!row.batchStarts.includes(beforeEventId)) throw notResettable(beforeEventId);
      events = events.filter((e) => toNumber(e.eventId) < beforeEventId);
      const batchStarts = row.batchStarts.filter((id) => id < beforeEventId);
      rest = { firstEventId: row.firstEventId, lastEventId: beforeEventId - 1, batchStarts, events: encodeEvents(events) };
    }
    foldInto(state, events);
    for (const event of events) {
      if (initiatesExternal(event)) kept.underWay.set(toNumber(event.eventId), event);
      const requestId = event.workflowExecutionSignaledEventAttributes?.requestId;
      if (requestId) kept.taken.add(requestId);
    }
  }
  return { fromRunId: runId, beforeEventId, rest };
}

const initiatesExternal = ({ eventType }: HistoryEvent): boolean =>
  eventType === T.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED ||
  eventType === T.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED;

/** Kinds of events that a reset may take over; the rest need not be kept in memory. */
const MAY_BE_TAKEN_OVER = new Set<number>([
  T.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
  T.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED,
  T.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
  T.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
  T.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED,
  T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED,
  T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED,
  T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED,
  T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED,
  T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT,
  T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED,
]);

/** What came after the reset point: in the base, and in the runs that it continued as new. */
async function readLater(
  engine: Engine,
  base: RunState,
  fromEventId: number,
  currentRunId: string,
  current: CachedRun,
): Promise<Pick<Plan, 'later' | 'reachesCurrent'>> {
  const later: HistoryEvent[] = [];
  let run: RunState | undefined = base;
  let from = fromEventId;
  let last = base.info.runId;
  while (run) {
    last = run.info.runId;
    for await (const events of eventsOf(engine, last, from, run.nextEventId)) {
      for (const event of events) if (MAY_BE_TAKEN_OVER.has(event.eventType ?? 0)) later.push(event);
    }
    if (run.status !== enums.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW) break;
    run = run.newRunId === currentRunId ? current.state : (await engine.runs.load(run.newRunId))?.state;
    from = 1;
  }
  return { later, reachesCurrent: last === currentRunId };
}
