/** Lists of workflows, page by page, and the histories of what they list. */
import type { HistoryAndWorkflowId } from '../definitions/workflow.js';
import { rethrowGrpcError } from './errors.js';
import { executionInfo } from './execution-info.js';
import type { RpcContext } from './rpc-context.js';
import type { WorkflowExecutionInfo } from './types.js';
import { fetchWorkflowHistory } from './workflow-calls.js';

/** Options of {@link WorkflowClient.list}. */
export interface ListOptions {
  /** Workflows fetched by one call; the server's default is 1000. */
  pageSize?: number;
  /** For example `WorkflowType = 'order' AND ExecutionStatus = 'Running'`. */
  query?: string;
}

/** Options for fetching the histories of listed runs. */
export interface IntoHistoriesOptions {
  /** Histories downloaded at once. Default 5. */
  concurrency?: number;
  /** Histories kept ready ahead of the consumer. Default: no limit. */
  bufferLimit?: number;
}

/** Workflows that match, fetched as they are asked for. */
export interface AsyncWorkflowListIterable extends AsyncIterable<WorkflowExecutionInfo> {
  /** Their histories instead, as {@link Worker.runReplayHistories} takes them. Not in order. */
  intoHistories: (options?: IntoHistoriesOptions) => AsyncIterable<HistoryAndWorkflowId>;
}

/** Lists workflows. */
export function listWorkflows(ctx: RpcContext, options: ListOptions = {}): AsyncWorkflowListIterable {
  const list = () => pages(ctx, options);
  return {
    [Symbol.asyncIterator]: () => list()[Symbol.asyncIterator](),
    intoHistories: ({ concurrency = 5, bufferLimit = Number.POSITIVE_INFINITY } = {}) =>
      mapConcurrently(list(), concurrency, bufferLimit, async ({ workflowId, runId }) => ({
        workflowId,
        history: await fetchWorkflowHistory(ctx, { workflowId, runId }),
      })),
  };
}

async function* pages(ctx: RpcContext, { query, pageSize }: ListOptions): AsyncGenerator<WorkflowExecutionInfo> {
  let nextPageToken: Uint8Array | undefined;
  do {
    let response: Awaited<ReturnType<typeof ctx.service.listWorkflowExecutions>>;
    try {
      response = await ctx.service.listWorkflowExecutions({ namespace: ctx.namespace, query, pageSize, nextPageToken });
    } catch (err) {
      rethrowGrpcError(err, 'Failed to list workflows');
    }
    for (const raw of response.executions) yield executionInfo(ctx, raw);
    nextPageToken = response.nextPageToken;
  } while (nextPageToken && nextPageToken.length > 0);
}

/** Maps items, several at once, yielding results as they come. Stops reading ahead when enough wait to be taken. */
async function* mapConcurrently<A, B>(
  source: AsyncIterable<A>,
  concurrency: number,
  bufferLimit: number,
  map: (item: A) => Promise<B>,
): AsyncGenerator<B> {
  const iterator = source[Symbol.asyncIterator]();
  const running = new Set<Promise<void>>();
  const ready: B[] = [];
  let exhausted = false;
  try {
    for (;;) {
      while (!exhausted && running.size < Math.max(1, concurrency) && running.size + ready.length < Math.max(1, bufferLimit)) {
        const next = await iterator.next();
        if (next.done) exhausted = true;
        else {
          const task: Promise<void> = map(next.value).then((result) => {
            ready.push(result);
            running.delete(task);
          });
          // The failure surfaces below; until then it must not count as unhandled.
          task.catch(() => undefined);
          running.add(task);
        }
      }
      if (ready.length === 0 && running.size > 0) await Promise.race(running);
      if (ready.length > 0) yield ready.shift()!;
      else if (exhausted && running.size === 0) return;
    }
  } finally {
    await iterator.return?.();
  }
}
