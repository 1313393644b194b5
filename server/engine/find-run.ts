/** From the execution that a request names to the run it means. */
import type { HistoryEvent, temporal } from '../core/api.js';
import { notFound, type ServiceError } from '../core/errors.js';
import { isRunning } from '../core/kinds/run.js';
import { unwrittenEvents } from '../core/kinds/workflow-task.js';
import { requireExecution } from '../core/validate/execution.js';
import type { Namespace } from '../storage/namespaces.js';
import type { LoadedRun } from '../storage/runs.js';
import type { Engine } from './engine.js';
import type { RunProgress } from './watchers.js';

type Execution = temporal.api.common.v1.IWorkflowExecution;

/** A run id that is none of that workflow id's. */
export const noSuchRun = (workflowId: string, runId: string): ServiceError =>
  notFound(`workflow execution not found for workflow ID "${workflowId}" and run ID "${runId}"`);

export const noSuchWorkflow = (workflowId: string): ServiceError => notFound(`workflow not found for ID: ${workflowId}`);

/** The run id that a request means: the one it names, or the open (else newest) run of its workflow id. */
export async function findRunId(engine: Engine, namespace: Namespace, execution: Execution | null | undefined): Promise<string> {
  const { workflowId, runId } = requireExecution(execution);
  if (runId) return runId;
  const current = await engine.runs.current(namespace.id, workflowId);
  if (!current) throw noSuchWorkflow(workflowId);
  return current.runId;
}

/** The run as the database holds it now. */
export async function readRun(engine: Engine, namespace: Namespace, execution: Execution | null | undefined): Promise<LoadedRun> {
  const runId = await findRunId(engine, namespace, execution);
  const run = await engine.runs.load(runId);
  const workflowId = execution!.workflowId!;
  if (!run || !belongs(run.state.info, namespace, workflowId)) throw noSuchRun(workflowId, runId);
  return run;
}

/** A run as far as a reader of its history cares. */
export interface SeenRun extends RunProgress {
  runId: string;
  /** Events of a workflow task that are not written yet. */
  unwritten: HistoryEvent[];
}

/** The run as this node remembers it when it is alone on the database, else as the database holds it now. */
export async function seeRun(engine: Engine, namespace: Namespace, execution: Execution | null | undefined): Promise<SeenRun> {
  const runId = await findRunId(engine, namespace, execution);
  const known = engine.otherNodes() ? undefined : engine.cache.peek(runId)?.state;
  const state = known ?? (await engine.runs.load(runId))?.state;
  const workflowId = execution!.workflowId!;
  if (!state || !belongs(state.info, namespace, workflowId)) throw noSuchRun(workflowId, runId);
  return { runId, open: isRunning(state), nextEventId: state.nextEventId, unwritten: unwrittenEvents(state) };
}

/** Whether a run is of that namespace and workflow id: a run id alone opens no door. */
export const belongs = (info: { namespaceId: string; workflowId: string }, namespace: Namespace, workflowId: string): boolean =>
  info.namespaceId === namespace.id && info.workflowId === workflowId;
