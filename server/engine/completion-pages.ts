/**
 * A worker's answer to a workflow task may be larger than one call may be. It then comes in pages: all but the last are kept, in the database, so
 * that they may come to any node; the last one is the answer, with the commands of the others before its own.
 */
import { api, type Command, enums, type temporal } from '../core/api.js';
import { detail, invalidArgument, ServiceError } from '../core/errors.js';
import { TaskFault } from '../core/task-fault.js';
import { refuse } from '../core/validate/problem.js';
import type { Engine } from './engine.js';
import type { WorkflowTaskToken } from './task-token.js';

type Request = temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest;
const Codec = api.workflowservice.v1.RespondWorkflowTaskCompletedRequest;

const PAGES_MAX = 1_024;
/** Commands of one answer, in bytes, without those of its last page. */
export const COMPLETION_BYTES_MAX = 40 * 1024 * 1024;
/** Longer than any workflow task may take: its pages are of no use to anybody. */
export const PAGES_KEPT_MS = 10 * 60_000;

/** One hand-out of one task: the next has pages of its own. */
const taskOf = ({ s, e, a, at }: WorkflowTaskToken): string => `${s}/${e}/${a}/${at}`;

export const isPaged = (request: Request): boolean => Boolean(request.intermediatePage) || (request.pageNumber ?? 0) !== 0;

/** Throws INVALID_ARGUMENT when a page cannot be one. */
export function validatePage({ pageNumber, intermediatePage, commands }: Request): void {
  const page = pageNumber ?? 0;
  if (page < 0) throw invalidArgument('workflow task completion pagination page number must be non-negative');
  if (page >= PAGES_MAX) throw invalidArgument(`workflow task completion pagination supports at most ${PAGES_MAX} pages`);
  refuse(intermediatePage && !commands?.length ? 'intermediate workflow task page must carry at least one command' : undefined);
}

/** Keeps a page that is not the last. Its task must be the one that is under way. */
export async function keepPage(engine: Engine, token: WorkflowTaskToken, { pageNumber, commands }: Request): Promise<void> {
  const bytes = Codec.encode({ commands: [...(commands ?? [])] }).finish();
  const kept = await engine.completionPages.keep(
    token.run,
    taskOf(token),
    pageNumber ?? 0,
    bytes,
    engine.wall.now(),
    COMPLETION_BYTES_MAX,
  );
  if (kept) return;
  await dropPages(engine, token);
  const cause = enums.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_REQUEST_TOO_LARGE;
  throw new TaskFault(cause, 'workflow task completion buffer size exceeds the per-workflow limit', true);
}

/** The commands of all pages before the last. Throws when one is not there: the worker then sends all of them again. */
export async function commandsBefore(engine: Engine, token: WorkflowTaskToken, lastPage: number): Promise<Command[]> {
  const pages = await engine.completionPages.before(token.run, taskOf(token), lastPage);
  if (pages.length < lastPage) {
    throw new ServiceError(
      'ABORTED',
      `Page ${pages.length} of the ${lastPage} before the last is not there; please send all of them again.`,
      [detail('WorkflowTaskCompletionBufferLostFailure')],
    );
  }
  return pages.flatMap((bytes) => Codec.decode(bytes).commands);
}

export const dropPages = (engine: Engine, token: WorkflowTaskToken): Promise<void> =>
  engine.completionPages.remove(token.run, taskOf(token));
