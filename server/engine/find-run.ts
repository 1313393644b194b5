/** From the execution that a request names to the run it means. */
import type { HistoryEvent, temporal } from '../core/api.js';
import { detail, notFound, ServiceError } from '../core/errors.js';
import { isRunning } from '../core/kinds/run.js';
import { unwrittenEvents } from '../core/kinds/workflow-task.js';
import type { RunState } from '../core/run-state.js';
import { requireExecution } from '../core/validate/execution.js';
import type { Namespace } from '../storage/namespaces.js';
import type { LoadedRun, NewestRun } from '../storage/runs.js';
import type { Engine } from './engine.js';
import type { RunProgress } from './watchers.js';

type Execution = temporal.api.common.v1.IWorkflowExecution;

/** A run id that is none of that workflow id's. */
export const noSuchRun = (workflowId: string, runId: string): ServiceError =>
  notFound(`workflow execution not found for workflow ID "${workflowId}" and run ID "${runId}"`);

/** The run that a call came to has ended. */
export class RunEnded extends ServiceError {
  constructor() {
    super('NOT_FOUND', 'workflow execution already completed', [detail('NotFoundFailure')]);
  }
}

/** Runs that end under the eyes of one call. */
const FOLLOW_MAX = 20;

export const noSuchWorkflow = (workflowId: string): ServiceError => notFound(`workflow not found for ID: ${workflowId}`);

/** The run id that a request means: the one it names, or the open (else newest) run of its workflow id. */
export const findRunId = async (engine: Engine, namespace: Namespace, execution: Execution | null | undefined): Promise<string> =>
  (await findRun(engine, namespace, execution)).runId;

/** The same, with what is known of it when it was found by its workflow id. */
async function findRun(engine: Engine, namespace: Namespace, execution: Execution | null | undefined): Promise<{ runId: string; found?: NewestRun }> {
  const { workflowId, runId } = requireExecution(execution);
  if (runId) return { runId };
  const found = await engine.runs.current(namespace.id, workflowId);
  if (!found) throw noSuchWorkflow(workflowId);
  return { runId: found.runId, found };
}

/**
 * Does something to the run that a request means. A request that names none means the open run of its workflow id: when that one ends before the
 * work comes to it, which the work says by throwing RunEnded, and another has begun, the work is done to the other.
 */
export async function withRun<R>(
  engine: Engine,
  namespace: Namespace,
  execution: Execution | null | undefined,
  work: (runId: string, found: NewestRun | undefined) => Promise<R>,
): Promise<R> {
  let run = await findRun(engine, namespace, execution);
  for (let hop = 0; ; hop++) {
    try {
      return await work(run.runId, run.found);
    } catch (error) {
      if (!(error instanceof RunEnded) || !run.found || hop >= FOLLOW_MAX) throw error;
      const next = await findRun(engine, namespace, execution);
      if (next.runId === run.runId) throw error;
      run = next;
    }
  }
}

/** The run as the database holds it now. */
export async function readRun(engine: Engine, namespace: Namespace, execution: Execution | null | undefined): Promise<LoadedRun> {
  const { workflowId, runId } = requireExecution(execution);
  const run = runId ? await engine.runs.load(runId) : await engine.runs.loadCurrent(namespace.id, workflowId);
  if (!run && !runId) throw noSuchWorkflow(workflowId);
  if (!run || !belongs(run.state.info, namespace, workflowId)) throw noSuchRun(workflowId, runId);
  return run;
}

/** A run as far as a reader of its history cares. */
export interface SeenRun extends RunProgress {
  runId: string;
  /** Events of a workflow task that are not written yet. */
  unwritten: HistoryEvent[];
}

/**
 * The run as the database holds it now, or as this node remembers it: when it is alone on the database, or `willWait` says that the caller waits for more
 * anyway (where others have changed the run, word of that is under way).
 */
export async function seeRun(
  engine: Engine,
  namespace: Namespace,
  execution: Execution | null | undefined,
  willWait = false,
): Promise<SeenRun> {
  const runId = await findRunId(engine, namespace, execution);
  const workflowId = execution!.workflowId!;
  const look = (state: RunState): SeenRun => {
    if (!belongs(state.info, namespace, workflowId)) throw noSuchRun(workflowId, runId);
    return { runId, open: isRunning(state), nextEventId: state.nextEventId, unwritten: unwrittenEvents(state) };
  };
  const seen = willWait || !engine.otherNodes() ? await lookRemembered(engine, runId, look) : undefined;
  if (seen) return seen;
  const loaded = await engine.runs.load(runId);
  if (!loaded) throw noSuchRun(workflowId, runId);
  return look(loaded.state);
}

/** A look at the remembered state between two transitions; undefined when it is not remembered. */
async function lookRemembered<T>(engine: Engine, runId: string, look: (state: RunState) => T): Promise<T | undefined> {
  const now = (): T | undefined => {
    const known = engine.cache.peek(runId);
    return known && look(known.state);
  };
  return engine.serial.has(runId) ? engine.serial.run(runId, async () => now()) : now();
}

/** Whether a run is of that namespace and workflow id: a run id alone opens no door. */
export const belongs = (info: { namespaceId: string; workflowId: string }, namespace: Namespace, workflowId: string): boolean =>
  info.namespaceId === namespace.id && info.workflowId === workflowId;
