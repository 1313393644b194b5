/** Replays a recorded history against the present code, and explains the first difference. */
import type { History, HistoryEvent } from '../definitions/api.js';
import { EventType } from './events.js';
import { ManagedRun, type RunEnvironment } from './managed-run.js';
import { NondeterminismError, ReplayError } from './nondeterminism.js';
import { PagedHistory } from './paged-history.js';
import type { FetchHistory, ReplayResult, WorkflowTask } from './workflow-host.js';

const noMorePages = () => Promise.reject(new ReplayError('A recorded history has one page'));

/** Replays twice when the first time fails: the second time notes where the code issues its commands, which costs too much to do always. */
export async function replayOne(environment: RunEnvironment, history: History, workflowId?: string): Promise<ReplayResult> {
  const task = taskOf(history, workflowId);
  const { runId, workflowId: id } = task.workflowExecution ?? {};
  const result = { workflowId: id ?? '', runId: runId ?? '' };
  const error = await replayError(environment, task, PagedHistory.ofTask(task, noMorePages), false);
  if (!(error instanceof NondeterminismError)) return error ? { ...result, error } : result;
  const explained = await replayError(environment, task, PagedHistory.ofTask(task, noMorePages), true);
  return { ...result, error: explained ?? error };
}

/** The mismatch that a task failed with, and where in the code it comes from: found by going through everything once more. */
export async function explainMismatch(environment: RunEnvironment, task: WorkflowTask, fetch: FetchHistory): Promise<NondeterminismError | undefined> {
  const history = PagedHistory.startsAtFirstEvent(task) ? PagedHistory.ofTask(task, fetch) : PagedHistory.fromBeginning(task, fetch);
  const error = await replayError({ ...environment, sinks: { dispatch: () => undefined } }, task, history, true);
  return error instanceof NondeterminismError ? error : undefined;
}

async function replayError(environment: RunEnvironment, task: WorkflowTask, history: PagedHistory, tracesCommands: boolean): Promise<Error | undefined> {
  // Local activities that history does not know of must not run: their workflow waits for them in vain.
  const run = new ManagedRun(task, { ...environment, runLocalActivity: () => new Promise(() => undefined) }, tracesCommands);
  try {
    await run.replay(history);
    return undefined;
  } catch (error) {
    return tracesCommands && error instanceof NondeterminismError ? error.seenAt(run.waitsAt()) : (error as Error);
  } finally {
    run.dispose();
  }
}

/** The history as a task whose whole history was executed before. */
function taskOf(history: History, workflowId?: string): WorkflowTask {
  const events = history.events ?? [];
  const started = events[0]?.workflowExecutionStartedEventAttributes;
  if (!started) throw new ReplayError('Expected the first event of a history to be WorkflowExecutionStarted');
  const lastCompleted = events.findLast((event: HistoryEvent) => event.eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED);
  return {
    workflowExecution: { workflowId: workflowId ?? started.workflowId ?? 'replayed', runId: started.originalExecutionRunId ?? 'replayed' },
    workflowType: started.workflowType,
    history,
    previousStartedEventId: lastCompleted?.workflowTaskCompletedEventAttributes?.startedEventId,
    startedEventId: events.length > 0 ? (events.at(-1)!.eventId ?? undefined) : undefined,
  };
}
