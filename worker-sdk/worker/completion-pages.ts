/** An answer to a workflow task that is larger than one message may be: its commands go ahead in pages, and the rest follows with the last of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { temporal } from '@temporalio/proto';
import proto from '@temporalio/proto';
import type { CallContext } from '../transport/call-context.js';
import type { WorkerRpcs } from './delivery.js';
import { isPageLost } from './delivery.js';

type Request = Parameters<WorkerRpcs['workflowTaskPage']>[0];
type Response = temporal.api.workflowservice.v1.RespondWorkflowTaskCompletedResponse;
type Command = temporal.api.command.v1.ICommand;

/** Commands of one page, in bytes: what servers take by default is 4 MiB, and a page says a little more than its commands. */
const PAGE_BYTES = 2 * 1024 * 1024;
const RESEND_FIRST_MS = 100;
const RESEND_MAX_MS = 5_000;

const sizeOf = (command: Command): number => proto.temporal.api.command.v1.Command.encode(command).finish().length;

/** Commands in pages; undefined when that would be of no use: they fit into one, or one of them alone does not. */
export function pagesOf(commands: readonly Command[], pageBytes = PAGE_BYTES, commandBytesMax = 2 * pageBytes): Command[][] | undefined {
  const pages: Command[][] = [[]];
  let bytes = 0;
  for (const command of commands) {
    const size = sizeOf(command);
    if (size > commandBytesMax) return undefined;
    if (bytes > 0 && bytes + size > pageBytes) {
      pages.push([]);
      bytes = 0;
    }
    pages.at(-1)!.push(command);
    bytes += size;
  }
  return pages.length > 1 ? pages : undefined;
}

/** Sends an answer in pages. What the server has lost on the way is sent again, until the task is not this worker's any more. */
export async function completeInPages(
  rpcs: WorkerRpcs,
  request: Request,
  pages: readonly Command[][],
  context: CallContext,
): Promise<Response> {
  const { taskToken, namespace, identity } = request;
  const last = pages.length - 1;
  for (let pauseMs = RESEND_FIRST_MS; ; pauseMs = Math.min(RESEND_MAX_MS, pauseMs * 2)) {
    try {
      for (const [pageNumber, commands] of pages.slice(0, last).entries()) {
        await rpcs.workflowTaskPage({ taskToken, namespace, identity, commands, pageNumber, intermediatePage: true }, context);
      }
      return await rpcs.workflowTaskPage({ ...request, commands: pages[last]!, pageNumber: last }, context);
    } catch (err) {
      if (!isPageLost(err)) throw err;
      await sleep(pauseMs, undefined, context.abortSignal ? { signal: context.abortSignal } : {});
    }
  }
}
