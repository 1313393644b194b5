/**
 * Requests that come again after the run that took them has ended: their caller was not told, and a new run has the workflow id by now, be it that the
 * run went on as new, was tried again, or was started anew. The same request gets the same answer; it is not done once more to the new run.
 */
import type { RunState } from '../core/run-state.js';
import type { Namespace } from '../storage/namespaces.js';
import type { NewestRun } from '../storage/runs.js';
import type { Engine } from './engine.js';

/** Nobody asks again after so long. */
const ASKED_AGAIN_MS = 10 * 60_000;
/** Runs of a workflow id that are looked at, the newest first. */
const RUNS_MAX = 10;
/** Those whose state has to be read for it. */
const READ_MAX = 5;

const since = (engine: Engine): number => engine.clock.now() - ASKED_AGAIN_MS;

/** Whether a run of the workflow id besides the open one has ended lately. */
export const endedLately = (engine: Engine, { closeMs, earlierCloseMs }: NewestRun): boolean => (closeMs || earlierCloseMs) > since(engine);

/** The run that has taken a request id of a signal, among those of the workflow id that have ended lately. */
export async function takenEarlier(engine: Engine, namespace: Namespace, workflowId: string, requestId: string): Promise<RunState | undefined> {
  if (!requestId) return undefined;
  const runId = await engine.runs.taker(namespace.id, workflowId, requestId, since(engine), RUNS_MAX);
  return runId === undefined ? undefined : (await engine.runs.load(runId))?.state;
}

/** The run that a start's request id has begun or was attached to, when that run is not the newest. */
export async function begunEarlier(engine: Engine, namespace: Namespace, newest: RunState, requestId: string): Promise<RunState | undefined> {
  const { workflowId, runId, firstRunId } = newest.info;
  const ended = await engine.runs.endedBefore(namespace.id, workflowId, runId, since(engine), READ_MAX);
  if (ended.length === 0) return undefined;
  const loaded = await engine.runs.loadAll([...new Set([...ended, firstRunId])]);
  return [...ended, firstRunId].map((id) => loaded.get(id)?.state).find((state) => state?.requestIds[requestId]);
}
