/** From the execution that a request names to the run it means. */
import type { temporal } from '../core/api.js';
import { notFound, type ServiceError } from '../core/errors.js';
import { requireExecution } from '../core/validate/execution.js';
import type { Namespace } from '../storage/namespaces.js';
import type { LoadedRun } from '../storage/runs.js';
import type { Engine } from './engine.js';

type Execution = temporal.api.common.v1.IWorkflowExecution;

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
  if (!run || !belongs(run.state.info, namespace, workflowId)) throw noSuchWorkflow(workflowId);
  return run;
}

/** Whether a run is of that namespace and workflow id: a run id alone opens no door. */
export const belongs = (info: { namespaceId: string; workflowId: string }, namespace: Namespace, workflowId: string): boolean =>
  info.namespaceId === namespace.id && info.workflowId === workflowId;
