/** Replaying recorded histories against the present code. */
import type { History } from '../definitions/api.js';
import type { HistoryAndWorkflowId } from '../definitions/workflow.js';
import { decodeMessage } from '../payload/codec.js';
import { createWorkflowHost } from '../replay/create-workflow-host.js';
import { NondeterminismError, ReplayError } from '../replay/nondeterminism.js';
import type { WorkflowHost } from '../replay/workflow-host.js';
import { DeterminismViolationError } from '../workflow/errors.js';
import type { CompiledWorkerOptions } from './compiled-options.js';
import { compileWorkerOptions } from './compiled-options.js';
import { hostOptions } from './host.js';
import { readHistory } from './read-history.js';
import { Runtime } from './runtime.js';
import type { ReplayWorkerOptions } from './worker-options.js';

/** Histories to replay. */
export type ReplayHistoriesIterable = AsyncIterable<HistoryAndWorkflowId> | Iterable<HistoryAndWorkflowId>;

/** What became of one history. */
export interface ReplayOutcome {
  /** As given with the history. */
  readonly workflowId: string;
  /** From the history's first event; empty when it cannot be read. */
  readonly runId: string;
  /** Absent when the replay matched. */
  readonly error?: Error;
}

/** Replays one history; throws what it differs by. */
export async function replayHistory(options: ReplayWorkerOptions, history: unknown, workflowId?: string): Promise<void> {
  for await (const { error } of replayHistories(options, [{ history, workflowId: workflowId ?? 'fake' }])) {
    if (error) throw error;
  }
}

/** Replays histories one after the other. */
export async function* replayHistories(
  options: ReplayWorkerOptions,
  histories: ReplayHistoriesIterable,
): AsyncIterableIterator<ReplayOutcome> {
  for (const plugin of options.plugins ?? []) options = (await plugin.configureReplayWorker?.(options)) ?? options;
  const compiled = compileWorkerOptions({ ...options, taskQueue: options.replayName ?? 'fake_replay_queue', maxCachedWorkflows: 1 });
  const host = await replayHost(compiled);
  try {
    for await (const { history, workflowId } of histories) yield await replayOne(host, compiled, history, workflowId);
  } finally {
    host.dispose();
  }
}

async function replayOne(host: WorkflowHost, options: CompiledWorkerOptions, source: unknown, workflowId: string): Promise<ReplayOutcome> {
  let runId = '';
  try {
    const history: History = readHistory(source);
    runId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.originalExecutionRunId ?? '';
    const context = { type: 'workflow' as const, namespace: options.namespace, workflowId };
    const decoded = await decodeMessage(options.loadedDataConverter.payloadCodecs, history, context);
    const { error, ...result } = await host.replayHistory(decoded, workflowId);
    return error ? { ...result, error: callersError(error) } : result;
  } catch (err) {
    return { workflowId, runId, error: err instanceof Error ? err : new ReplayError(String(err)) };
  }
}

/** What the code did instead of what history holds, as an error that callers know the name of. */
function callersError(error: Error): Error {
  if (!(error instanceof NondeterminismError)) return error;
  return Object.assign(new DeterminismViolationError(error.message, { cause: error }), { mismatch: error.mismatch });
}

function replayHost(options: CompiledWorkerOptions): Promise<WorkflowHost> {
  const runtime = Runtime.instance();
  return createWorkflowHost({
    ...hostOptions(options, runtime.logger, runtime.metricMeter),
    activityNames: undefined,
    // What a local activity answered is in the history; a replay that asks for another attempt has come to its end.
    runLocalActivity: () => new Promise(() => undefined),
  });
}
